import { join } from "node:path";

/** What makes the requests of `replay.ts`, in one file for Node; the folder that it comes to is the test's. */
export default {
  build: {
    ssr: join(import.meta.dirname, "replay.ts"),
    outDir: process.env["HEADWAY_REPLAY"],
    target: "node22",
    rollupOptions: { output: { entryFileNames: "replay.mjs" } },
  },
  ssr: { noExternal: true },
};
