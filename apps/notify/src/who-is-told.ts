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
 * somebody who is both hears it once.
 */
export function whoIsTold(ownerIds: readonly (string | null | undefined)[], people: ReadonlyMap<string, Person>): Recipient[] {
  const told = new Map<string, Recipient>();
  const owners = ownerIds.flatMap((id) => (id ? (people.get(id) ?? []) : []));
  for (const person of owners) if (person.active) told.set(person.agentId, { person, as: 'owner' });
  for (const { managerId } of owners) {
    const manager = managerId === null ? undefined : people.get(managerId);
    if (manager?.active && !told.has(manager.agentId)) told.set(manager.agentId, { person: manager, as: 'manager' });
  }
  return [...told.values()];
}
