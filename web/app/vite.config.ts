import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin, type Rolldown } from "vite";

type Chunk = Rolldown.OutputChunk;

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

/** What each address of the app loads besides what all do: the server names it in the document, and nothing waits in a row. */
function files(): Plugin {
  return {
    name: "headway-files",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
      const page = (path: string) => chunks.find((one) => one.facadeModuleId === join(HERE, "src", path));
      const all = new Set(chunks.filter((one) => one.isEntry).flatMap((one) => loadedBy(one, chunks)));
      const routes = readFileSync(join(HERE, "src/routes.ts"), "utf8").matchAll(
        /"(\/.*)": \(\) => import\("\.\/(.+)"\)/g,
      );
      const found = [...routes].map(([, address, path]) => {
        const chunk = page(path);
        if (!chunk) throw new Error(`${address} shows ${path}, which is no file of its own`);
        return [address, loadedBy(chunk, chunks).filter((name) => !all.has(name))];
      });
      this.emitFile({ type: "asset", fileName: "files.json", source: JSON.stringify(Object.fromEntries(found)) });
    },
  };
}

/** The names of a chunk, of all that it imports at once, and of their styles. */
function loadedBy(chunk: Chunk, chunks: readonly Chunk[], seen = new Set<Chunk>()): string[] {
  if (seen.has(chunk)) return [];
  seen.add(chunk);
  const imported = chunks.filter((one) => chunk.imports.includes(one.fileName));
  const own = [chunk.fileName, ...(chunk.viteMetadata?.importedCss ?? [])];
  return [...own, ...imported.flatMap((one) => loadedBy(one, chunks, seen))];
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
  plugins: [svelte(), worker(), files(), compressed()],
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
      output: {
        entryFileNames: ({ name }) => (name === "embed" ? "embed.js" : "assets/[name]-[hash].js"),
        // What many pages share comes in one file: each more is a request more, and most are a few hundred bytes.
        codeSplitting: { groups: [{ name: "shared", minShareCount: 4 }] },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
