export { problemText } from "./problem-text.ts";
export { readToml, type TomlFile } from "./read-toml.ts";
export { TomlTable, type TomlProblem } from "./toml-table.ts";
