/** A person of ours, as far as notices need to know them. */
export interface Person {
  agentId: string;
  email: string | null;
  managerId: string | null;
  active: boolean;
}

export interface Recipient {
  person: Person;
  as: 'owner' | 'manager';
}

/**
 * Who hears about a ticket: whoever owns it, and their manager. An owner who has left is passed over, their manager is not;
 * somebody who is both hears it once. A ticket without an owner is told to `standIns`.
 */
export function whoIsTold(ownerIds: readonly string[], standIns: readonly string[], people: ReadonlyMap<string, Person>): Recipient[] {
  const told = new Map<string, Recipient>();
  const known = (ids: readonly string[]): Person[] => ids.flatMap((id) => people.get(id) ?? []);
  for (const person of known(ownerIds.length > 0 ? ownerIds : standIns)) if (person.active) told.set(person.agentId, { person, as: 'owner' });
  for (const { managerId } of known(ownerIds)) {
    const manager = managerId === null ? undefined : people.get(managerId);
    if (manager?.active && !told.has(manager.agentId)) told.set(manager.agentId, { person: manager, as: 'manager' });
  }
  return [...told.values()];
}
