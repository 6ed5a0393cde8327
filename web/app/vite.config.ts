import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const HERE = import.meta.dirname;
const OUT = resolve(HERE, process.env["HEADWAY_PAGES"] ?? "../../src/headway/http/built");
const COMPRESSED = /\.(js|css|html|svg|webmanifest|json)$/;

/** The worker that serves the pages without a network, told which files there are. */
function worker(): Plugin {
  return {
    name: "headway-worker",
    apply: "build",
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
      const shell = [...files, "assets/theme.js", "assets/icon.svg"].map((name) => `/${name}`);
      const source = readFileSync(join(HERE, "src/worker.js"), "utf8");
      this.emitFile({
        type: "asset",
        fileName: "worker.js",
        source: `const SHELL = ${JSON.stringify(shell)};\n${source}`,
      });
    },
  };
}

/** Every file that is worth it compressed beside itself, once, as small as can be. */
function compressed(): Plugin {
  return {
    name: "headway-compressed",
    apply: "build",
    async closeBundle() {
      const names = (await readdir(OUT, { recursive: true })).filter((name) => COMPRESSED.test(name));
      await Promise.all(names.map((name) => compress(join(OUT, name))));
    },
  };
}

async function compress(path: string): Promise<void> {
  const whole = await readFile(path);
  await mkdir(dirname(path), { recursive: true });
  const brotli = brotliCompressSync(whole, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } });
  await writeFile(`${path}.br`, brotli);
  await writeFile(`${path}.gz`, gzipSync(whole, { level: 9 }));
}

export default defineConfig({
  plugins: [svelte(), worker(), compressed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    // Inlined data addresses would need a wider policy than the pages have.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      // What other pages embed keeps its address, and shares no file with the app.
      input: { index: join(HERE, "index.html"), embed: join(HERE, "src/embed.ts") },
      output: { entryFileNames: ({ name }) => (name === "embed" ? "embed.js" : "assets/[name]-[hash].js") },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
