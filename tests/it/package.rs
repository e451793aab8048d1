//! Packages: `add`, `lock`, `update`, `remove`, `list`, `vendor` and `bundle`, with repositories on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, Ran, finish};

const STEPS: &str = "\
//! Steps that our scripts share.
import \"./inner/words\" as words;

fn greet(name) { words::hello(name) }
fn fail(name) { if name == \"bad\" { throw `no ${name}` } name }
";
const STEALS: &str = "fn steal() { ask_secret(\"Password\") }\n";
const WORDS: &str = "fn hello(name) { `Hello ${name}` }\n";
const MAIN: &str = "\
import \"steps\" as steps;
fn main(name) { steps::greet(name) }
";

/// A git repository in a folder of its own.
struct Repository {
    dir: tempfile::TempDir,
}

impl Repository {
    /// A repository with `lib.rhai` and a file that it imports, tagged `v1`.
    fn new() -> Repository {
        let repository = Repository::empty();
        repository.write("lib.rhai", STEPS);
        repository.write("inner/words.rhai", WORDS);
        repository.commit("v1");
        repository
    }

    fn empty() -> Repository {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("steps")).unwrap();
        let repository = Repository { dir };
        repository.git("init --quiet .");
        repository
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("steps")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits everything, and sets the tag. Returns the commit.
    fn commit(&self, tag: &str) -> String {
        self.git("add --all");
        self.git("commit --quiet --allow-empty --message change");
        self.git(&format!("tag --force {tag}"));
        self.git("rev-parse HEAD").trim().to_owned()
    }

    fn git(&self, words: &str) -> String {
        let output = Command::new("git")
            .args(words.split(' '))
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Ann")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ann@example.com")))
            .output()
            .expect("these tests need the program `git`");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The source of a package at a tag or commit.
    fn at(&self, revision: &str) -> String {
        format!("git+file://{}@{revision}", self.folder().display())
    }
}

/// A home with a project that has a script.
fn project() -> Home {
    let home = Home::new();
    home.write("provisor.toml", "");
    home.write("main.rhai", MAIN);
    home
}

/// A project that uses the package `steps` from a repository.
fn with_steps() -> (Home, Repository) {
    let (home, repository) = (project(), Repository::new());
    let _ = home.run(&format!("add {}", repository.at("v1"))).ended(0);
    (home, repository)
}

fn greets(home: &Home, words: &str) {
    let ran = home.run(words).ended(0);
    assert_eq!(
        (ran.stdout.trim(), ran.stderr.as_str()),
        ("result  Hello Ann", "")
    );
}

fn cache(home: &Home) -> PathBuf {
    home.provisor().join("cache/packages")
}

/// The file in the cache with this text.
fn cached(home: &Home, text: &str) -> PathBuf {
    let mut folders = vec![cache(home)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).unwrap() == text {
                return path;
            }
        }
    }
    panic!("it is not in the cache")
}

/// Replaces a read-only file.
fn tamper(path: &Path, text: &str) {
    fs::remove_file(path).unwrap();
    fs::write(path, text).unwrap();
}

fn digest(ran: &Ran) -> String {
    ran.stderr.split(['(', ')']).nth(1).unwrap().to_owned()
}

#[test]
fn a_package_is_taken_from_a_tag_and_then_runs_without_its_repository() {
    let (home, repository) = (project(), Repository::new());
    let commit = repository.git("rev-parse HEAD").trim().to_owned();
    let source = repository.at("v1");
    let ran = home.run(&format!("add {source}")).ended(0);
    let expected = format!(
        "added `steps` (2 files, commit {}); scripts use it with: import \"steps\" as steps;\n",
        &commit[..12]
    );
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("", expected.as_str())
    );
    assert_eq!(
        home.read("provisor.toml"),
        format!("[use]\nsteps = \"{source}\"\n")
    );
    let lock = home.read("provisor.lock");
    for part in [
        "version = 1\n".to_owned(),
        format!("[use.steps]\nsource = \"{source}\"\ncommit = \"{commit}\"\nmain = \"lib.rhai\"\n"),
        "[use.steps.files]\n\"inner/words.rhai\" = \"".to_owned(),
    ] {
        assert!(lock.contains(&part), "{lock}");
    }
    drop(repository);
    greets(&home, "run main.rhai --name Ann");
    let _ = home.run("lock").ended(0).said(&["provisor.lock is up to date"]);
}

#[test]
fn a_package_is_a_library_whatever_its_text() {
    let (home, repository) = (project(), Repository::new());
    repository.write("lib.rhai", STEALS);
    repository.commit("v1");
    let _ = home.run(&format!("add {}", repository.at("v1"))).ended(0);
    home.write(
        "main.rhai",
        "import \"steps\" as steps;\nfn main() { steps::steal() }\n",
    );
    let says = &["a library cannot call `ask_secret`", "use:steps/lib.rhai:1"];
    let _ = home.run("run main.rhai").ended(5).said(says);
    let _ = home.run("check main.rhai").ended(3).said(says);
}

#[test]
fn a_moved_tag_changes_nothing_until_it_is_taken() {
    let (home, repository) = with_steps();
    let lock = home.read("provisor.lock");
    repository.write("inner/words.rhai", &WORDS.replace("Hello", "Bye"));
    repository.write("inner/more.rhai", "fn more() { 1 }\n");
    repository.commit("v1");
    let _ = home.run("lock").ended(0).said(&["up to date"]);
    fs::remove_dir_all(cache(&home)).unwrap();
    let _ = home.run("lock").ended(0).said(&["up to date"]);
    greets(&home, "run main.rhai --name Ann");
    assert_eq!(home.read("provisor.lock"), lock);

    let ran = home.run("update steps").ended(2);
    let expected = "\
--- use:steps/inner/words.rhai
+++ use:steps/inner/words.rhai
@@ -1 +1 @@
-fn hello(name) { `Hello ${name}` }
+fn hello(name) { `Bye ${name}` }
";
    assert_eq!(ran.stdout, expected);
    let _ = ran.said(&["`steps`: 2 files, commit ", "confirmation is needed", "add --yes"]);
    assert_eq!(
        home.read("provisor.lock"),
        lock,
        "nothing is written before it is confirmed"
    );
    let _ = home.run("update steps --yes").ended(0).said(&["updated `steps`"]);
    let ran = home.run("run main.rhai --name Ann").ended(0);
    assert_eq!(ran.stdout.trim(), "result  Bye Ann");
    let ran = home.run("update steps --yes").ended(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.trim()),
        ("", "`steps` is unchanged")
    );
}

#[test]
fn a_package_moves_to_another_tag_or_commit() {
    let (home, repository) = with_steps();
    repository.write("inner/words.rhai", &WORDS.replace("Hello", "Bye"));
    let commit = repository.commit("v2/rc-1");
    let _ = home.run("update steps --to v2/rc-1 --yes").ended(0);
    assert!(home.read("provisor.toml").contains("@v2/rc-1\""));
    let ran = home.run("run main.rhai --name Ann").ended(0);
    assert_eq!(ran.stdout.trim(), "result  Bye Ann");
    for revision in [commit.as_str(), &commit[..9]] {
        let _ = home.run("remove steps").ended(0).said(&["removed `steps`"]);
        assert!(!home.work().join("provisor.lock").exists());
        let _ = home.run(&format!("add {}", repository.at(revision))).ended(0);
        assert!(
            home.read("provisor.lock")
                .contains(&format!("commit = \"{commit}\""))
        );
    }
    let branch = repository.git("branch --show-current");
    let _ = home
        .run(&format!("update steps --to {}", branch.trim()))
        .ended(2)
        .said(&[
            "has no tag and no commit",
            "a branch is not enough",
            "git ls-remote --tags",
        ]);
    let _ = home
        .run("update step")
        .ended(2)
        .said(&["declares no package `step`", "it declares steps"]);
}

#[test]
fn an_update_shows_the_code_where_the_cache_has_no_earlier_text() {
    let (home, repository) = with_steps();
    let bye = WORDS.replace("Hello", "Bye");
    repository.write("inner/words.rhai", &bye);
    repository.commit("v1");
    fs::remove_dir_all(cache(&home)).unwrap();
    let name = "use:steps/inner/words.rhai";
    let expected = format!(
        "{name} is different, and there is no copy of its earlier text; this is the whole file:\n\
         --- /dev/null\n+++ {name}\n@@ -0,0 +1 @@\n+{bye}"
    );
    assert_eq!(home.run("update steps").ended(2).stdout, expected);

    let _ = home.run("lock").ended(0);
    let _ = home.run("vendor").ended(0);
    fs::remove_dir_all(cache(&home)).unwrap();
    let expected = format!("--- {name}\n+++ {name}\n@@ -1 +1 @@\n-{WORDS}+{bye}");
    assert_eq!(home.run("update steps").ended(2).stdout, expected);
}

#[test]
fn a_changed_file_in_the_cache_is_named_and_fetched_anew() {
    let (home, _repository) = with_steps();
    let file = cached(&home, WORDS);
    tamper(&file, "fn hello(name) { `Evil ${name}` }\n");
    let ran = home.run("run main.rhai --name Ann").ended(3);
    assert_eq!(ran.stdout, "");
    let _ = ran.said(&[
        &file.display().to_string(),
        "was changed",
        "`provisor lock`",
        "use:steps/lib.rhai:2:8",
    ]);
    let _ = home.run("list").ended(3).said(&["`steps`: ", "was changed"]);
    let _ = home.run("lock").ended(0);
    greets(&home, "run main.rhai --name Ann");
}

#[test]
fn a_run_fetches_nothing() {
    let (home, repository) = with_steps();
    let elsewhere = Home::new();
    for name in ["provisor.toml", "provisor.lock", "main.rhai"] {
        elsewhere.write(name, &home.read(name));
    }
    let ran = elsewhere.run("run main.rhai --name Ann").ended(3);
    assert_eq!(ran.stdout, "");
    let _ = ran.said(&[
        "of the package `steps` was not fetched yet",
        "run `provisor lock`",
    ]);
    let _ = elsewhere.run("lock").ended(0);
    greets(&elsewhere, "run main.rhai --name Ann");
    assert_eq!(
        digest(&elsewhere.run("check main.rhai").ended(0)),
        digest(&home.run("check main.rhai").ended(0))
    );
    fs::remove_dir_all(cache(&home)).unwrap();
    drop(repository);
    let _ = home.run("lock").ended(6).said(&["cannot fetch file://"]);
}

#[test]
fn a_missing_or_stale_lock_is_reported_with_the_command() {
    let (home, repository) = with_steps();
    let (manifest, lock) = (home.read("provisor.toml"), home.read("provisor.lock"));
    fs::remove_file(home.work().join("provisor.lock")).unwrap();
    let _ = home
        .run("run main.rhai --name Ann")
        .ended(3)
        .said(&["the lock provisor.lock does not exist", "run `provisor lock`"]);
    home.write("provisor.lock", &lock);
    home.write("provisor.toml", &manifest.replace("@v1", "@v2"));
    repository.commit("v2");
    let _ = home.run("run main.rhai --name Ann").ended(3).said(&[
        "provisor.lock does not have the package `steps` from git+file",
        "@v2",
        "run `provisor lock`",
    ]);
    let _ = home.run("lock").ended(0).said(&["provisor.lock: locked steps"]);
    greets(&home, "run main.rhai --name Ann");
    home.write("provisor.toml", "[use]\nother = \"./other\"\n");
    home.write("other/lib.rhai", "fn one() { 1 }\n");
    let _ = home.run("lock").ended(0).said(&["locked other", "removed steps"]);
    home.write("provisor.toml", "");
    home.write("o.rhai", "import \"other\" as o;\no::one()\n");
    home.write("other.rhai", "fn one() { 2 }\n");
    let ran = home
        .run("run o.rhai")
        .ended(0)
        .said(&["write import \"./other\""]);
    assert_eq!(ran.stdout.trim(), "result  2", "what is not declared is not used");
}

#[test]
fn unknown_keys_are_errors_at_their_line() {
    let home = project();
    home.write("provisor.toml", "[uses]\nsteps = \"./steps\"\n");
    let _ = home
        .run("run main.rhai --name Ann")
        .ended(2)
        .said(&["provisor.toml:1:2: there is no key `uses`", "did you mean `use`?"]);
    home.write("provisor.toml", "");
    home.write(
        "main.rhai",
        &format!("//! Greets.\n// /// provisor\n// neds = \"0.1\"\n// ///\n{MAIN}"),
    );
    let _ = home
        .run("run main.rhai --name Ann")
        .ended(2)
        .said(&["main.rhai:3:4: there is no key `neds`", "did you mean `needs`?"]);
    home.write(
        "main.rhai",
        &format!("// /// provisor\n// needs = \"99.1\"\n// ///\n{MAIN}"),
    );
    let _ = home
        .run("run main.rhai --name Ann")
        .ended(2)
        .said(&["main.rhai needs provisor 99.1 or later"]);
    home.write("main.rhai", MAIN);
    home.write("provisor.toml", "[use]\nsteps = \"./steps\"\n");
    home.write("provisor.lock", "version = 1\nextra = 2\n");
    let _ = home.run("run main.rhai --name Ann").ended(3).said(&[
        "provisor.lock:2: unknown field `extra`",
        "restore it from version control",
    ]);
    // The configuration knows the keys, but only of a project.
    home.write("provisor.toml", "needs = \"0.1\"\n[use]\n");
    let _ = home.run("config show").ended(0);
}

#[test]
fn a_folder_on_this_machine_is_used_as_it_was_locked() {
    let home = project();
    home.write("shared/steps/lib.rhai", STEPS);
    home.write("shared/steps/inner/words.rhai", WORDS);
    let ran = home.run("add ./shared/steps").ended(0);
    assert!(
        ran.stderr.starts_with("added `steps` (2 files);"),
        "{}",
        ran.stderr
    );
    assert_eq!(home.read("provisor.toml"), "[use]\nsteps = \"./shared/steps\"\n");
    greets(&home, "run main.rhai --name Ann");
    home.write(
        "shared/steps/inner/words.rhai",
        "fn hello(name) { `Bye ${name}` }\n",
    );
    for words in ["run main.rhai --name Ann", "check main.rhai", "lock"] {
        let _ =
            home.run(words)
                .ended(3)
                .said(&["inner/words.rhai", "was changed", "`provisor update steps`"]);
    }
    let ran = home.run("update steps --yes").ended(0);
    assert!(
        ran.stdout.contains("+fn hello(name) { `Bye ${name}` }"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        home.run("run main.rhai --name Ann").ended(0).stdout.trim(),
        "result  Bye Ann"
    );
    fs::remove_dir_all(home.work().join("shared")).unwrap();
    let _ = home
        .run("run main.rhai --name Ann")
        .ended(3)
        .said(&["does not exist"]);
}

#[test]
fn without_the_program_git_the_error_names_it() {
    let (home, repository) = (project(), Repository::new());
    let mut command = home.command(["add", &repository.at("v1")]);
    command.env("PATH", home.work());
    let _ = finish(command.spawn().unwrap())
        .ended(2)
        .said(&["the program `git` is needed to fetch file://", "install git"]);
    assert_eq!(home.read("provisor.toml"), "");
    assert!(!home.work().join("provisor.lock").exists());
}

#[test]
fn git_runs_no_hook_and_heeds_no_variable_that_leads_it_elsewhere() {
    let (home, repository) = (project(), Repository::new());
    let hook = home.write("hooks/reference-transaction", "#!/bin/sh\ntouch \"$HOME/ran\"\n");
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let folder = home.provisor().parent().unwrap().to_owned();
    let config = format!("[core]\nhooksPath = {}\n", home.work().join("hooks").display());
    fs::write(folder.join(".gitconfig"), config).unwrap();
    let mut command = home.command(["add", &repository.at("v1")]);
    command
        .env("GIT_DIR", "/nowhere")
        .env("GIT_WORK_TREE", "/nowhere")
        .env("GIT_INDEX_FILE", "/nowhere");
    let _ = finish(command.spawn().unwrap()).ended(0);
    assert!(!folder.join("ran").exists(), "a hook ran");
    greets(&home, "run main.rhai --name Ann");
}

#[test]
fn packages_are_fetched_with_the_settings_that_harden_git() {
    let (home, repository) = (project(), Repository::new());
    let folder = home.provisor().parent().unwrap().to_owned();
    let config = "[safe]\nbareRepository = explicit\n[init]\ndefaultObjectFormat = sha256\n";
    fs::write(folder.join(".gitconfig"), config).unwrap();
    let _ = home.run(&format!("add {}", repository.at("v1"))).ended(0);
    greets(&home, "run main.rhai --name Ann");
}

#[test]
fn links_in_a_repository_are_not_followed() {
    let (home, repository) = (project(), Repository::new());
    std::os::unix::fs::symlink("/etc/hostname", repository.folder().join("link.rhai")).unwrap();
    repository.write("lib.rhai", "import \"./link\" as link;\n");
    repository.commit("v1");
    let _ = home.run(&format!("add {}", repository.at("v1"))).ended(1).said(&[
        "use:steps/lib.rhai:1:8",
        "the package `steps` has no file `link.rhai`",
    ]);
    assert_eq!(home.read("provisor.toml"), "");
}

#[test]
fn sources_that_cannot_be_used_are_refused_with_a_reason() {
    let (home, repository) = (project(), Repository::new());
    let file = repository.at("v1");
    for (words, says) in [
        (
            "add https://example.com/acme/steps",
            "write git+https://HOST/PATH@TAG",
        ),
        (
            "add git+https://example.com/acme/steps",
            "it names no tag and no commit",
        ),
        (
            "add git+https://t0ken@example.com/a@v1",
            "a credential would be written",
        ),
        ("add ./nowhere", "`./nowhere` cannot be read"),
        ("add . as here", "it has no file lib.rhai"),
        (&format!("add {file}#nowhere"), "it has no file lib.rhai"),
        (
            &format!("add {file} as Steps"),
            "`Steps` cannot be the name of a package",
        ),
        (
            &format!("add {file} as mobsted"),
            "a package cannot have the name `mobsted`",
        ),
        (
            &format!("add {file} as print"),
            "a package cannot have the name `print`",
        ),
        (
            &format!("add {file} named steps"),
            "`named steps` after the source is not understood",
        ),
        (&format!("add {file}9"), "has no tag and no commit `v19`"),
    ] {
        let ran = home.run(words).ended(2).said(&[says]);
        assert!(!ran.stderr.contains("t0ken"), "{}", ran.stderr);
        assert_eq!(home.read("provisor.toml"), "", "{words}");
    }
    let _ = home.run(&format!("add {file}")).ended(0);
    let _ = home
        .run(&format!("add {file}"))
        .ended(2)
        .said(&["declares a package `steps` already"]);
    let nowhere = Home::new();
    let _ = nowhere
        .run("lock")
        .ended(2)
        .said(&["there is no provisor.toml here or above", "--script FILE"]);
}

#[test]
fn a_script_alone_has_its_packages_in_a_block_and_a_lock_beside_it() {
    let (home, repository) = (Home::new(), Repository::new());
    home.write("s/main.rhai", &format!("//! Greets.\n\n{MAIN}"));
    let _ = home
        .run(&format!("add {} --script s/main.rhai", repository.at("v1")))
        .ended(0);
    let expected = format!(
        "//! Greets.\n\n// /// provisor\n// [use]\n// steps = \"{}\"\n// ///\n\n{MAIN}",
        repository.at("v1")
    );
    assert_eq!(home.read("s/main.rhai"), expected);
    assert!(home.read("s/main.rhai.lock").contains("[use.steps]"));
    greets(&home, "run s/main.rhai --name Ann");
    let ran = home.run("list --script s/main.rhai").ended(0);
    assert!(ran.stdout.starts_with("PACKAGE"), "{}", ran.stdout);
    fs::remove_file(home.work().join("s/main.rhai.lock")).unwrap();
    let _ = home
        .run("run s/main.rhai --name Ann")
        .ended(3)
        .said(&["run `provisor lock --script s/main.rhai`"]);
    let _ = home.run("lock --script s/main.rhai").ended(0);
    greets(&home, "run s/main.rhai --name Ann");
    let ran = home.run_with_input("run - --name Ann", &home.read("s/main.rhai"));
    let _ = ran.ended(2).said(&["a script from standard input has no lock"]);
    home.write("s/other.rhai", MAIN);
    let _ = home
        .run("run s/other.rhai --name Ann")
        .ended(1)
        .said(&["cannot import \"steps\""]);
    let _ = home.run("remove steps --script s/main.rhai").ended(0);
    assert_eq!(home.read("s/main.rhai"), format!("//! Greets.\n\n{MAIN}"));
}

#[test]
fn packages_that_packages_need_stand_side_by_side() {
    let (home, repository, dates) = (project(), Repository::new(), Repository::empty());
    dates.write("lib.rhai", "fn year() { 2026 }\n");
    dates.commit("v1");
    // A neighbour in the same repository under the name of a package from elsewhere.
    repository.write("libs/dates/lib.rhai", "fn year() { 1999 }\n");
    repository.write("libs/steps/provisor.toml", "[use]\ndates = \"../dates\"\n");
    repository.write(
        "libs/steps/lib.rhai",
        "import \"dates\" as dates;\nfn year() { dates::year() }\n",
    );
    repository.commit("v1");
    let _ = home
        .run(&format!("add {}#libs/steps", repository.at("v1")))
        .ended(0);
    let _ = home.run(&format!("add {} as dates", dates.at("v1"))).ended(0);
    home.write(
        "main.rhai",
        "import \"steps\" as steps;\nimport \"dates\" as dates;\nfn main() { `${steps::year()} ${dates::year()}` }\n",
    );
    drop((repository, dates));
    let ran = home.run("run main.rhai").ended(0);
    assert_eq!(ran.stdout.trim(), "result  1999 2026");
    assert!(home.read("provisor.lock").contains("[use.\"steps/dates\"]"));
    let _ = home.run("remove steps").ended(0);
    assert!(
        !home.read("provisor.lock").contains("[use.steps")
            && !home.read("provisor.lock").contains("steps/dates")
    );
}

#[test]
fn a_package_from_elsewhere_reaches_nothing_on_this_machine() {
    let (home, repository) = (project(), Repository::new());
    home.write("own/lib.rhai", "fn one() { 1 }\n");
    let own = home.work().join("own");
    for (uses, says) in [
        (format!("{}", own.display()), "it is outside the repository"),
        ("../../../own".to_owned(), "it is outside the repository"),
        (
            format!("git+file://{}@v1", own.display()),
            "cannot name a repository on this machine",
        ),
        ("./own.provisor".to_owned(), "cannot name a bundle"),
        (repository.at("v1"), "cannot name a repository on this machine"),
        ("..".to_owned(), "it is outside the repository"),
        (".".to_owned(), "the package needs itself: steps -> own"),
    ] {
        repository.write("provisor.toml", &format!("[use]\nown = \"{uses}\"\n"));
        repository.write("lib.rhai", "import \"own\" as own;\n");
        repository.commit("v1");
        let _ = home
            .run(&format!("add {}", repository.at("v1")))
            .ended(2)
            .said(&[says]);
        assert_eq!(home.read("provisor.toml"), "", "{uses}");
    }
}

#[test]
fn imports_reach_the_whole_project_and_nothing_else() {
    let home = Home::new();
    home.write("outside.rhai", "fn one() { 0 }\n");
    home.write("p/provisor.toml", "");
    home.write(
        "p/lib/one.rhai",
        "import \"../lib/two\" as two;\nfn one() { two::two() - 1 }\n",
    );
    home.write("p/lib/two.rhai", "fn two() { 2 }\n");
    home.write(
        "p/scripts/main.rhai",
        "import \"../lib/one\" as one;\nfn main() { one::one() }\n",
    );
    let ran = home.run("run p/scripts/main.rhai").ended(0);
    assert_eq!((ran.stdout.trim(), ran.stderr.as_str()), ("result  1", ""));
    let from_here = digest(&home.run("check p/scripts/main.rhai").ended(0));
    let mut command = home.command(["check", "main.rhai"]);
    command.current_dir(home.work().join("p/scripts"));
    assert_eq!(digest(&finish(command.spawn().unwrap()).ended(0)), from_here);

    home.write("p/scripts/out.rhai", "import \"../../outside\" as o;\no::one()\n");
    let _ = home
        .run("run p/scripts/out.rhai")
        .ended(1)
        .said(&["is outside the project's folder"]);
    std::os::unix::fs::symlink(
        home.work().join("outside.rhai"),
        home.work().join("p/lib/link.rhai"),
    )
    .unwrap();
    home.write("p/scripts/link.rhai", "import \"../lib/link\" as l;\nl::one()\n");
    let _ = home
        .run("run p/scripts/link.rhai")
        .ended(1)
        .said(&["is outside the project's folder"]);
    home.write("p/lib/circle.rhai", "import \"../scripts/circle\" as c;\n");
    home.write("p/scripts/circle.rhai", "import \"../lib/circle\" as c;\n");
    let _ = home
        .run("run p/scripts/circle.rhai")
        .ended(1)
        .said(&["circular imports: p/scripts/circle.rhai -> p/lib/circle.rhai -> p/scripts/circle.rhai"]);
}

#[test]
fn a_name_without_a_folder_is_read_as_a_file_with_a_warning() {
    let home = Home::new();
    home.write("steps.rhai", "fn greet(name) { `Hello ${name}` }\n");
    home.write("main.rhai", MAIN);
    let ran = home.run("run main.rhai --name Ann").ended(0);
    assert_eq!(ran.stdout.trim(), "result  Hello Ann");
    assert_eq!(
        ran.stderr,
        "warning: main.rhai: write import \"./steps\" for the file; the next version takes a name without ./ for a \
         package\n"
    );
    home.write("main.rhai", &MAIN.replace("\"steps\"", "\"./steps\""));
    greets(&home, "run main.rhai --name Ann");
}

#[test]
fn an_import_cannot_hide_a_module_of_provisor() {
    let home = Home::new();
    home.write("fake.rhai", "fn connect() { 1 }\n");
    home.write(
        "main.rhai",
        "import \"./fake\" as mobsted;\nfn main() { mobsted::connect() }\n",
    );
    let _ = home.run("run main.rhai").ended(1).said(&[
        "main.rhai:1:8",
        "`mobsted` is a module of provisor, which an import cannot replace",
    ]);
    home.write("provisor.toml", "[use]\nhttp = \"./fake.rhai\"\n");
    home.write("main.rhai", MAIN);
    let _ = home
        .run("run main.rhai --name Ann")
        .ended(2)
        .said(&["provisor.toml: a package cannot have the name `http`"]);
}

#[test]
fn packages_added_at_the_same_time_are_all_kept() {
    let home = project();
    let names: Vec<String> = (0..8).map(|at| format!("p{at}")).collect();
    for name in &names {
        home.write(&format!("{name}/lib.rhai"), "fn one() { 1 }\n");
    }
    let started: Vec<_> = names
        .iter()
        .map(|name| home.command(["add", &format!("./{name}")]).spawn().unwrap())
        .collect();
    for child in started {
        let _ = finish(child).ended(0);
    }
    let (manifest, lock) = (home.read("provisor.toml"), home.read("provisor.lock"));
    for name in &names {
        assert!(manifest.contains(&format!("{name} = \"./{name}\"")), "{manifest}");
        assert!(lock.contains(&format!("[use.{name}]")), "{lock}");
    }
    let _ = home.run("lock").ended(0).said(&["up to date"]);
}

#[test]
fn vendored_packages_need_no_cache_and_must_be_the_locked_ones() {
    let (home, repository) = with_steps();
    let ran = home.run("vendor").ended(0);
    assert_eq!(ran.stderr.trim(), "vendor: 2 files");
    assert_eq!(home.read("vendor/steps/inner/words.rhai"), WORDS);
    drop(repository);
    fs::remove_dir_all(cache(&home)).unwrap();
    greets(&home, "run main.rhai --name Ann");
    let _ = home.run("fmt .").ended(0);
    assert_eq!(
        home.read("vendor/steps/lib.rhai"),
        STEPS,
        "copies are not formatted"
    );
    home.write("vendor/steps/lib.rhai", "fn greet(name) { \"evil\" }\n");
    let _ = home.run("run main.rhai --name Ann").ended(3).said(&[
        "`vendor/steps/lib.rhai` is not the file that the lock names",
        "`provisor vendor`",
    ]);
    let other = project();
    other.write("vendor/own.txt", "mine");
    let _ = other
        .run("vendor")
        .ended(9)
        .said(&["`vendor` cannot be written: it exists"]);
    assert_eq!(other.read("vendor/own.txt"), "mine");
}

#[test]
fn vendored_copies_are_enough_to_vendor_again() {
    let (home, repository) = with_steps();
    let _ = home.run("vendor").ended(0);
    fs::remove_dir_all(cache(&home)).unwrap();
    let _ = home.run("lock").ended(0).said(&["up to date"]);
    drop(repository);
    let ran = home.run("vendor").ended(0);
    assert_eq!(ran.stderr.trim(), "vendor: 2 files");
    assert_eq!(home.read("vendor/steps/inner/words.rhai"), WORDS);
    home.write("vendor/steps/inner/words.rhai", "fn hello(name) { \"evil\" }\n");
    let _ = home.run("vendor").ended(3).said(&["was not fetched yet"]);
    assert_eq!(home.read("vendor/steps/lib.rhai"), STEPS, "the copies are kept");
}

#[test]
fn a_folder_vendor_that_provisor_did_not_write_does_not_count() {
    let (home, _repository) = with_steps();
    home.write("vendor/steps/lib.rhai", "fn greet(name) { \"mine\" }\n");
    greets(&home, "run main.rhai --name Ann");
    let _ = home.run("lock").ended(0).said(&["up to date"]);
}

#[test]
fn a_link_to_a_script_is_a_package() {
    let home = project();
    home.write(
        "shared/greeting.rhai",
        "import \"./inner/words\" as words;\nfn greet(name) { words::hello(name) }\n",
    );
    home.write("shared/inner/words.rhai", WORDS);
    for link in ["steps.rhai", "steps"] {
        std::os::unix::fs::symlink("shared/greeting.rhai", home.work().join(link)).unwrap();
        let _ = home.run(&format!("add ./{link} as steps")).ended(0);
        home.write("provisor.toml", &format!("[use]\nsteps = \"./{link}\"\n"));
        let _ = home.run("lock").ended(0);
        greets(&home, "run main.rhai --name Ann");
        let _ = home.run("vendor").ended(0).said(&["vendor: 2 files"]);
        let _ = home.run("remove steps").ended(0);
        fs::remove_dir_all(home.work().join("vendor")).unwrap();
    }
}

#[test]
fn the_list_shows_scripts_and_packages() {
    let (home, repository) = with_steps();
    home.write(
        "main.rhai",
        &format!("//! Greets a client.\n//! Politely.\n{MAIN}"),
    );
    home.write("tools/audit.rhai", "/// Counts tenants.\nfn main() { 1 }\n");
    home.write("tools/part.rhai", "fn part() { 1 }\n");
    let ran = home.run("list --json").ended(0);
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let commit = repository.git("rev-parse HEAD");
    let expected = serde_json::json!({
        "version": 1,
        "scripts": [
            {"file": "main.rhai", "description": "Greets a client."},
            {"file": "tools/audit.rhai", "description": "Counts tenants."},
        ],
        "packages": [{
            "name": "steps", "source": repository.at("v1"), "commit": commit.trim(), "files": 2, "problem": null,
        }],
    });
    assert_eq!(list, expected);
    let ran = home.run("list").ended(0);
    for text in [
        "Greets a client.",
        "tools/audit.rhai",
        "steps",
        "2 files, commit ",
    ] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
}

#[test]
fn a_resumed_run_uses_the_packages_it_started_with() {
    let (home, repository) = (project(), Repository::new());
    repository.write("lib.rhai", &format!("{STEPS}{STEALS}"));
    repository.commit("v1");
    let _ = home.run(&format!("add {}", repository.at("v1"))).ended(0);
    home.write(
        "main.rhai",
        "import \"steps\" as steps;\nfn main(name) { if name == \"thief\" { steps::steal() } steps::fail(name) }\n",
    );
    home.write("rows.csv", "name\ngood\nbad\nthief\n");
    let ran = home.run("run main.rhai --rows rows.csv --out out.csv").ended(8);
    let _ = ran.said(&["no bad", "use:steps/lib.rhai:5"]);
    let id = home.run("runs list --json").ended(0).stdout;
    let id = id
        .split("\"id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    drop(repository);
    fs::remove_dir_all(cache(&home)).unwrap();
    fs::remove_file(home.work().join("provisor.lock")).unwrap();
    let ran = home.run(&format!("resume {id} --retry-failed")).ended(8);
    let _ = ran.said(&["no bad", "a library cannot call `ask_secret`"]);
}

#[test]
fn a_bundle_runs_elsewhere_as_its_script_runs_here() {
    let (home, repository) = with_steps();
    home.write("lib/own.rhai", "fn bold(text) { text + \"!\" }\n");
    home.write(
        "scripts/main.rhai",
        "import \"steps\" as steps;\nimport \"../lib/own\" as own;\n/// Greets.\nfn main(name) { own::bold(steps::greet(name)) }\n",
    );
    let here = digest(&home.run("check scripts/main.rhai").ended(0));
    let ran = home.run("bundle scripts/main.rhai").ended(0);
    assert_eq!(ran.stderr, format!("scripts/main.provisor: 4 files ({here})\n"));
    drop(repository);

    let elsewhere = Home::new();
    elsewhere.write("given.provisor", &home.read("scripts/main.provisor"));
    let ran = elsewhere
        .run(&format!("run given.provisor --name Ann --expect {here}"))
        .ended(0);
    assert_eq!(
        (ran.stdout.trim(), ran.stderr.as_str()),
        ("result  Hello Ann!", "")
    );
    assert_eq!(digest(&elsewhere.run("check given.provisor").ended(0)), here);
    let _ = elsewhere.run("run given.provisor --help").ended(0);
    elsewhere.write("rows.csv", "name\nAnn\n");
    let _ = elsewhere
        .run("run given.provisor --rows rows.csv --out out.csv")
        .ended(0);
    assert!(elsewhere.read("out.csv").contains("Hello Ann!"));

    elsewhere.write(
        "given.provisor",
        &home.read("scripts/main.provisor").replace("Hello", "Evil"),
    );
    let _ = elsewhere
        .run("run given.provisor --name Ann")
        .ended(3)
        .said(&["given.provisor was changed: its sources have the digest sha256:"]);
    elsewhere.write("given.provisor", "{}");
    let _ = elsewhere
        .run("run given.provisor --name Ann")
        .ended(2)
        .said(&["it is not a bundle"]);
    home.write("notes.provisor", "mine");
    let _ = home
        .run("bundle scripts/main.rhai --out notes.provisor")
        .ended(2)
        .said(&["exists and is not a bundle"]);
    let _ = home.run("bundle scripts/main.rhai").ended(0);
}

#[test]
fn a_bundle_can_be_a_package() {
    let (home, repository) = with_steps();
    home.write(
        "both.rhai",
        "import \"steps\" as steps;\nfn greet(name) { steps::greet(name) }\nfn steal() { ask(\"?\") }\n",
    );
    let _ = home.run("bundle both.rhai").ended(0);
    drop(repository);
    let other = project();
    other.write("both.provisor", &home.read("both.provisor"));
    let _ = other.run("add both.provisor as steps").ended(0);
    assert!(other.read("provisor.lock").contains("[use.\"steps/steps\"]"));
    fs::remove_file(other.work().join("both.provisor")).unwrap();
    greets(&other, "run main.rhai --name Ann");
    other.write("main.rhai", "import \"steps\" as s;\nfn main() { s::steal() }\n");
    let _ = other
        .run("run main.rhai")
        .ended(5)
        .said(&["a library cannot call `ask`"]);
}

#[test]
fn no_file_of_a_script_can_pass_for_a_packages() {
    let home = Home::new();
    home.write("use:steps/lib.rhai", STEALS);
    home.write(
        "main.rhai",
        "import \"./use:steps/lib\" as s;\nfn main() { s::steal() }\n",
    );
    home.write("line\nbreak.rhai", "fn one() { 1 }\n");
    home.write("lines.rhai", "import \"./line\\nbreak\" as l;\nl::one()\n");
    home.write("use:steps/main.rhai", "1\n");
    home.write("provisor.toml", "");
    for (command, code) in [("run", 1), ("check", 3), ("bundle", 1)] {
        let _ = home.run(&format!("{command} main.rhai")).ended(code).said(&[
            "main.rhai:1:8",
            "\"use:steps\": only the names of packages begin with `use:`",
        ]);
        let _ = home
            .run(&format!("{command} lines.rhai"))
            .ended(code)
            .said(&["\"line\\nbreak.rhai\": it has control characters"]);
        let _ = home
            .run(&format!("{command} ./use:steps/main.rhai"))
            .ended(if command == "check" { 3 } else { 2 })
            .said(&[
                "\"use:steps\": only the names of packages begin",
                "give it another name",
            ]);
    }
}

#[test]
fn a_bundle_whose_imports_lead_elsewhere_is_refused() {
    let (home, _repository) = with_steps();
    home.write("own.rhai", STEALS);
    home.write(
        "main.rhai",
        "import \"./own\" as own;\nimport \"steps\" as steps;\n1\n",
    );
    let _ = home.run("bundle main.rhai").ended(0);
    let bundle = home.read("main.provisor");
    let swapped = bundle.replace(
        "\"./own\",\n      \"own.rhai\"",
        "\"./own\",\n      \"use:steps/lib.rhai\"",
    );
    assert_ne!(swapped, bundle);
    home.write("main.provisor", &swapped);
    let _ = home
        .run("run main.provisor")
        .ended(2)
        .said(&["`main.rhai` imports \"./own\", which is not `use:steps/lib.rhai`"]);
}

#[cfg(unix)]
#[test]
fn a_bundle_is_not_made_of_links() {
    let home = Home::new();
    home.write("own.rhai", "fn one() { 1 }\n");
    std::os::unix::fs::symlink("own.rhai", home.work().join("link.rhai")).unwrap();
    home.write("main.rhai", "import \"./link\" as l;\nl::one()\n");
    let _ = home.run("run main.rhai").ended(0);
    let _ = home.run("bundle main.rhai").ended(2).said(&[
        "`main.rhai` imports \"./link\", which leads to `own.rhai` in a way that a bundle cannot have",
        "relative to the file that imports it and without links",
    ]);
    assert!(!home.work().join("main.provisor").exists());
}

#[test]
fn a_changed_bundle_is_not_taken_as_a_package() {
    let home = project();
    home.write("steps.rhai", WORDS);
    let _ = home.run("bundle steps.rhai").ended(0);
    let bundle = home.read("steps.provisor");
    for (from, to, code, says) in [
        ("Hello", "Evil", 3, "its sources have the digest sha256:"),
        (
            "\"version\": 1,",
            "\"version\": 1, \"needs\": \"x\",",
            2,
            "\"x\" is not a version",
        ),
    ] {
        let changed = bundle.replace(from, to);
        assert_ne!(changed, bundle);
        home.write("steps.provisor", &changed);
        let _ = home.run("add steps.provisor").ended(code).said(&[says]);
        assert_eq!(home.read("provisor.toml"), "");
        assert!(!home.work().join("provisor.lock").exists());
    }
    home.write("steps.provisor", &bundle);
    let _ = home.run("add steps.provisor").ended(0);
}

#[test]
fn a_block_in_an_imported_file_has_no_effect_and_is_named() {
    let home = project();
    home.write(
        "own.rhai",
        "// /// provisor\n// needs = \"99\"\n// ///\nfn greet(name) { `Hello ${name}` }\n",
    );
    home.write("main.rhai", &MAIN.replace("\"steps\"", "\"./own\""));
    let ran = home.run("run main.rhai --name Ann").ended(0);
    assert_eq!(ran.stdout.trim(), "result  Hello Ann");
    let _ = ran.said(&[
        "own.rhai: its block `/// provisor` has no effect, because another file imports it",
        "declare its packages in provisor.toml",
    ]);
}
