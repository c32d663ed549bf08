/** How much of a candidate is read to tell whether it may be a model manifest, in bytes. */
export const SNIFFED_BYTES = 64 * 1024;

/** Whether a file name alone makes a document worth a look: `manifest.json` or `*.manifest.json`. */
export function hasCandidateName(path: string): boolean {
  return /(^|[/\\])([^/\\]+\.)?manifest\.json$/i.test(path);
}

/**
 * Whether the beginning of a document (at most {@link SNIFFED_BYTES}) may belong to a model manifest. Cheap and
 * generous: it only decides whether the server starts at all; the server then decides for good.
 */
export function mayBeModelManifest(beginning: string): boolean {
  if (/"\$schema"\s*:\s*"[^"]*diffusion-dock\.[a-z0-9.]+\.schema\.json["?#]/.test(beginning)) return true;
  if (!/"files"\s*:\s*\[/.test(beginning)) return false;
  return /"(role|filename|sha256)"\s*:/.test(beginning);
}
