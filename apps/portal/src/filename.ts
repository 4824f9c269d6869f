/** File systems take no longer names. */
const MAX_CHARACTERS = 255;

/** The name in a Content-Disposition header (RFC 6266), without folders and what no file name has; `file` when there is none. */
export function filenameOf(disposition: string | undefined): string {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition ?? '')?.[1];
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition ?? '');
  const name = decoded(extended) ?? plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2] ?? '';
  const clean = (name.split(/[/\\]/).at(-1) ?? '').replace(/[\x00-\x1f\x7f]/g, '').slice(0, MAX_CHARACTERS);
  return clean === '' || /^\.+$/.test(clean) ? 'file' : clean;
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
