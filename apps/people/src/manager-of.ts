/** An agent without a manager answers to the lead of their team; a lead without one answers to nobody. */
export function managerOf(
  agent: { id?: string | undefined; team?: string | undefined; manager?: string | undefined },
  teams: readonly { name?: string | undefined; lead?: string | undefined }[],
): string | undefined {
  if (agent.manager !== undefined || teams.some(({ lead }) => lead === agent.id)) return agent.manager;
  return teams.find(({ name }) => name === agent.team)?.lead;
}

/** The chains of managers that lead back to where they began, each once, from its first member on. */
export function managerCycles(managers: ReadonlyMap<string, string | undefined>): string[][] {
  const cycles: string[][] = [];
  const seen = new Set<string>();
  for (const start of managers.keys()) {
    const chain: string[] = [];
    for (let id: string | undefined = start; id !== undefined && !seen.has(id); id = managers.get(id)) {
      const from = chain.indexOf(id);
      if (from >= 0) {
        cycles.push(chain.slice(from));
        break;
      }
      chain.push(id);
    }
    for (const id of chain) seen.add(id);
  }
  return cycles;
}
