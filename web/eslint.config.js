import svelte from "eslint-plugin-svelte";
import typescript from "typescript-eslint";

const browser = ["window", "document", "navigator", "location", "history", "console"];

export default typescript.config(
  { ignores: ["**/node_modules/", "vscode/dist/", "sdk/src/contract.ts"] },
  ...typescript.configs.strict,
  ...svelte.configs.recommended,
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: typescript.parser, extraFileExtensions: [".svelte"] } },
    rules: {
      // Our links are paths of our own router, which takes clicks on any of them.
      "svelte/no-navigation-without-resolve": "off",
    },
  },
  {
    rules: {
      complexity: ["error", 10],
      "max-lines": ["error", 400],
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-invalid-void-type": "off",
    },
  },
  // The catalog is as long as the app says much.
  { files: ["app/src/words/*.ts"], rules: { "max-lines": "off" } },
  // The editor shares the SDK: what is of browsers alone stays in the files that say so.
  {
    files: ["sdk/src/*.ts"],
    ignores: ["sdk/src/browser.ts", "sdk/src/indexed.ts", "sdk/src/local.ts", "sdk/src/tabs.ts"],
    rules: { "no-restricted-globals": ["error", ...browser, "localStorage", "indexedDB"] },
  },
  // So does the extension: its panel alone is a page.
  {
    files: ["vscode/src/**/*.ts"],
    ignores: ["vscode/src/webview/*.ts"],
    rules: { "no-restricted-globals": ["error", ...browser, "localStorage", "indexedDB"] },
  },
);
