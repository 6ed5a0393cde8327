import { isBuiltin } from "node:module";
import { join } from "node:path";
import { defineConfig, type UserConfig } from "vite";

const HERE = import.meta.dirname;
const OUT = join(HERE, "dist");

/** The extension runs in Node, with all that it needs in one file but what Node and the editor bring. */
const extension: UserConfig = {
  build: {
    ssr: join(HERE, "src/extension.ts"),
    outDir: OUT,
    target: "node20",
    minify: true,
    rollupOptions: {
      external: (id) => id === "vscode" || isBuiltin(id),
      output: { format: "cjs", entryFileNames: "extension.cjs" },
    },
  },
  ssr: { noExternal: true },
};

/** The script of the panel runs in a page of its own. */
const panel: UserConfig = {
  build: {
    outDir: OUT,
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: join(HERE, "src/webview/step.ts"), formats: ["iife"], name: "step", fileName: () => "step.js" },
  },
};

/** What tests start instead of the editor, to kill it: the same outbox, without a window. */
const driver: UserConfig = {
  build: {
    ssr: join(HERE, "test/driver.ts"),
    outDir: process.env["HEADWAY_DRIVER"] ?? OUT,
    emptyOutDir: false,
    target: "node20",
    rollupOptions: { output: { format: "cjs", entryFileNames: "driver.cjs" } },
  },
  ssr: { noExternal: true },
};

export default defineConfig(({ mode }) => (mode === "panel" ? panel : mode === "driver" ? driver : extension));
