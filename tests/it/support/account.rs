//! A platform on a loopback address, with an account for profiles.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Stdio};

use super::{Home, Ran, finish};

/// The simulated platform, served to other programs at an address like a real one.
pub(crate) struct Served {
    child: Child,
    // If this were closed, the server could no longer write.
    _stdout: BufReader<ChildStdout>,
    /// The master account's address.
    pub url: String,
    /// The login of the account.
    pub login: String,
    /// The password of the account.
    pub password: String,
}

impl Served {
    /// Serves the sandbox of a separate home.
    pub(crate) fn start(home: &Home) -> Served {
        let mut command = home.command(["sandbox", "serve"]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("password in ") {
            assert!(stdout.read_line(&mut said).unwrap() > 0, "{said}");
        }
        let behind = |text: &str, end: char| {
            let from = said
                .find(text)
                .unwrap_or_else(|| panic!("`{text}` is not in {said}"))
                + text.len();
            said[from..].split(end).next().unwrap().trim().to_owned()
        };
        let file = behind("password in ", '\n');
        Served {
            url: behind("Mobsted at ", ' ').trim_end_matches(':').to_owned(),
            login: behind("Mobsted at ", ',').rsplit(' ').next().unwrap().to_owned(),
            password: std::fs::read_to_string(file).unwrap().trim().to_owned(),
            child,
            _stdout: stdout,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Home {
    /// Writes the user's configuration.
    pub(crate) fn configure(&self, text: &str) {
        let folder = self.provisor().join("config");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    /// The user's current configuration.
    pub(crate) fn configuration(&self) -> String {
        std::fs::read_to_string(self.provisor().join("config/config.toml")).unwrap()
    }

    /// Configures the served account as profile `acme` in this mode; its password is in the variable `ACME_PASSWORD`.
    pub(crate) fn configure_acme(&self, served: &Served, mode: &str) {
        self.configure(&format!(
            "[profiles.acme]\nurl = \"{}\"\nlogin = \"{}\"\npassword = {{ env = \"ACME_PASSWORD\" }}\nmode = \"{mode}\"\n",
            served.url, served.login
        ));
    }

    /// Runs the program with the served account's password in `ACME_PASSWORD`.
    pub(crate) fn run_as(&self, served: &Served, words: &str) -> Ran {
        let mut command = self.command(words.split_whitespace());
        command.env("ACME_PASSWORD", &served.password);
        finish(command.spawn().unwrap())
    }

    /// Runs the program with this input on stdin, without waiting for its output.
    pub(crate) fn feed(&self, words: &[&str], input: &str) -> Ran {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that ends early closes its input; its output is compared anyway.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        finish(child)
    }
}
