/** The parameters of a webhook: a name that comes more than once has all its values, as the signature wants them. */
export type TwilioParams = Readonly<Record<string, string | readonly string[]>>;

/** Reads `application/x-www-form-urlencoded`. Twilio adds parameters without notice, so none is left out. */
export function twilioParams(body: Buffer): TwilioParams {
  const form = new URLSearchParams(body.toString('utf8'));
  return Object.fromEntries(
    [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name);
      return [name, values.length === 1 ? values[0]! : values];
    }),
  );
}

/** The first value of a parameter; undefined when it is absent or empty. */
export function param(params: TwilioParams, name: string): string | undefined {
  const value = params[name];
  return (typeof value === 'string' ? value : value?.[0]) || undefined;
}
