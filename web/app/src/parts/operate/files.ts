/** Files as the server takes them for an import. */
import type { Shape } from "@headway/sdk";

/** How much the server takes at once is 2 MiB of JSON, in which four characters stand for three bytes. */
export const BYTES_MAX = 1_500_000;
export const FILES_MAX = 200;

/** Names that the server takes. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

export type ImportSent = Shape<"ImportSent">;
export type ImportShown = Shape<"ImportShown">;
export type Format = ImportSent["format"];

export const ACCEPTED: Readonly<Record<Format, string>> = {
  "json-files": ".json,application/json",
  jsonl: ".jsonl,.ndjson,application/jsonl",
  csv: ".csv,text/csv",
};

/** An import that was started here, and what its files are called: its report names them by their places. */
export interface Started {
  readonly shown: ImportShown;
  readonly names: readonly string[];
  readonly dry: boolean;
}

export function sizeOf(files: readonly File[]): number {
  return files.reduce((sum, file) => sum + file.size, 0);
}

export async function sentOf(file: File): Promise<ImportSent["files"][number]> {
  return { name: file.name, base64: await base64Of(file) };
}

/** The map that was typed, or null where it is none. */
export function mapOf(text: string): NonNullable<ImportSent["map"]> | null {
  try {
    const found = JSON.parse(text) as Partial<NonNullable<ImportSent["map"]>> | null;
    const { course, exercises } = found ?? {};
    return typeof course === "string" && exercises && typeof exercises === "object" ? { course, exercises } : null;
  } catch {
    return null;
  }
}

async function base64Of(file: File): Promise<string> {
  const reader = new FileReader();
  const read = new Promise<string>((done, failed) => {
    reader.onload = () => done(reader.result as string);
    reader.onerror = () => failed(reader.error ?? new Error(file.name));
  });
  reader.readAsDataURL(file);
  // "data:…;base64,…", and "data:" of a file that is empty.
  return (await read).split(",", 2)[1] ?? "";
}
