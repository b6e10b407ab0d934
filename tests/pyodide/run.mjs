// Run a Python module in Pyodide, CPython compiled to WebAssembly, under Node:
//
//   node run.mjs PYODIDE SITE MODULE [ARGUMENTS...]
//
// PYODIDE is the folder of the npm package, SITE a folder of pure wheels that
// `pip install --target SITE` unpacked.  The current folder and SITE are there under
// their own paths, and the variable CI; nothing else of this machine is.  The exit
// status is the module's.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [home, site, module, ...args] = process.argv.slice(2);
if (module === undefined) {
  console.error("usage: node run.mjs PYODIDE SITE MODULE [ARGUMENTS...]");
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
const entry = pathToFileURL(path.resolve(home, "pyodide.mjs"));
const { loadPyodide } = await import(entry);

const env = { HOME: "/home/pyodide" };
if (process.env.CI !== undefined) env.CI = process.env.CI;
const pyodide = await loadPyodide({ indexURL: path.resolve(home) + "/", env });

// Unbuffered, so that the last words before a crash are seen.
const stream = (fd) => ({
  isatty: false,
  write: (bytes) => fs.writeSync(fd, bytes),
});
pyodide.setStdout(stream(1));
pyodide.setStderr(stream(2));

const mount = (folder) => {
  pyodide.FS.mkdirTree(folder);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, folder);
};
const cwd = fs.realpathSync(process.cwd());
const packages = fs.realpathSync(site);
mount(cwd);
if (!packages.startsWith(cwd + path.sep)) mount(packages);

let status = 70; // EX_SOFTWARE: the interpreter itself broke
try {
  const source = fs.readFileSync(path.join(here, "bootstrap.py"), "utf8");
  const namespace = pyodide.globals.get("dict")();
  pyodide.runPython(source, { globals: namespace, filename: "bootstrap.py" });
  status = namespace.get("run")(cwd, packages, module, pyodide.toPy(args));
} catch (error) {
  console.error(String(error));
}
process.exit(status);
