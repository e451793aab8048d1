// Starts `provisor lsp` for scripts that are open in Visual Studio Code.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
    const command = workspace.getConfiguration("provisor").get("path");
    client = new LanguageClient(
        "provisor",
        "provisor",
        { command, args: ["lsp"] },
        { documentSelector: [{ language: "rhai" }] },
    );
    return client.start();
};

exports.deactivate = () => client?.stop();
