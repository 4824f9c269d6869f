/** What a template may name: `{{number}}`. */
export const TEMPLATE_VARIABLES = ['number', 'subject', 'channel', 'brand'] as const;
export type TemplateValues = Record<(typeof TEMPLATE_VARIABLES)[number], string>;

const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** The names in a template that do not exist. */
export function unknownVariables(template: string): string[] {
  return [...template.matchAll(PLACE)].map(([, name]) => name!).filter((name) => !(TEMPLATE_VARIABLES as readonly string[]).includes(name));
}

/** Puts values where a template names them. A value is text: what looks like a place inside it stays as it is. */
export function render(template: string, values: TemplateValues): string {
  return template.replace(PLACE, (place, name: string) => values[name as keyof TemplateValues] ?? place);
}
