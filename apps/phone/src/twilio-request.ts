/** The parameters of a webhook: a name that comes more than once has all its values, as the signature wants them. */
export type TwilioParams = Readonly<Record<string, string | readonly string[]>>;

/** Reads `application/x-www-form-urlencoded`. Twilio adds parameters without notice, so none is left out. */
export function twilioParams(body: Buffer): TwilioParams {
  const params = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    const values = params.get(name);
    if (values) values.push(value);
    else params.set(name, [value]);
  }
  return Object.fromEntries([...params].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}

/** The first value of a parameter; undefined when it is absent or empty. */
export function param(params: TwilioParams, name: string): string | undefined {
  const value = params[name];
  return (typeof value === 'string' ? value : value?.[0]) || undefined;
}
