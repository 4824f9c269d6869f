/** What one service made of its section. */
export interface Applied {
  section: string;
  changed: number;
}

/** A service did not take its section. What came before it in the order is applied; applying again is harmless. */
export class ApplyError extends Error {
  readonly code = 'configuration.refused';
}

/** Hands each section to its service. `urlOf` says where a service answers. Throws ApplyError with the service's own words. */
export async function apply(
  configuration: Readonly<Record<string, unknown>>,
  order: readonly string[],
  { urlOf, token }: { urlOf: (service: string) => string; token: string },
): Promise<Applied[]> {
  const applied: Applied[] = [];
  for (const section of order) {
    if (!(section in configuration)) continue;
    const response = await fetch(`${urlOf(section)}/${section}/v1/configuration`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(configuration[section]),
    });
    const answer = (await response.json().catch(() => ({}))) as { changed?: number; detail?: string; faults?: { path: string; message: string }[] };
    if (!response.ok) {
      const faults = (answer.faults ?? []).map(({ path, message }) => `\n  ${section}.${path}: ${message}`).join('');
      throw new ApplyError(`${section} refused its section (${response.status}): ${answer.detail ?? response.statusText}${faults}`);
    }
    applied.push({ section, changed: answer.changed ?? 0 });
  }
  return applied;
}
