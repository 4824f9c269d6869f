/** Where the world outside answers, and what is shared with it. */
export interface Outside {
  readonly secret: string;
  readonly mailPort: number;
  readonly twilioUrl: string;
  readonly twilioAccount: string;
}

export const OUR_MAILBOX = 'support@chaos.example';
export const OUR_NUMBER = '+18005551212';
export const SITE = { ref: 'shop', origin: 'https://shop.example' } as const;

/** Few, so that most tickets wait, ring, and miss their targets. */
export const AGENTS: readonly { id: string; tier: number }[] = [
  { id: 'ada', tier: 1 },
  { id: 'ben', tier: 1 },
  { id: 'cem', tier: 2 },
  { id: 'dora', tier: 2 },
];

export const agentToken = (secret: string, id: string): string => `${secret}-${id}`;

/** Whether customers of a channel are thanked for their first contact. */
export const acknowledges = (channel: string): boolean => channel in ACKNOWLEDGEMENTS;

const ACKNOWLEDGEMENTS: Readonly<Record<string, { text: string; subject?: string }>> = {
  email: { subject: 'Number {{number}}', text: 'Your number is {{number}}.' },
  sms: { text: 'Your number is {{number}}.' },
  chat: { text: 'Your number is {{number}}.' },
};

/** The sections of tierline.yaml, in the order in which they are applied. The targets are so short that clocks fall due in every outage. */
export function configuration({ secret, mailPort, twilioUrl, twilioAccount }: Outside): Readonly<Record<string, unknown>> {
  return {
    people: {
      teams: [
        { name: 'care', lead: 'cem' },
        { name: 'experts', lead: 'dora' },
      ],
      agents: AGENTS.map(({ id, tier }) => ({
        id,
        name: id,
        team: tier === 1 ? 'care' : 'experts',
        tier,
        capacity: 3,
        roles: ['agent'],
        token: agentToken(secret, id),
      })),
    },
    routing: { defaultQueue: 'general', queues: [{ name: 'general', offerTimeout: '2s' }] },
    escalation: {
      policies: [
        { name: 'live', match: { channels: ['chat', 'sms'] }, firstResponse: '2s', resolution: '4s', warnAt: 50 },
        { name: 'standard', firstResponse: '3s', resolution: '6s', warnAt: 50 },
      ],
      tiers: [
        { tier: 1, team: 'care' },
        { tier: 2, team: 'experts' },
      ],
    },
    notify: { acknowledgements: ACKNOWLEDGEMENTS },
    email: { mailboxes: [{ ref: OUR_MAILBOX, address: OUR_MAILBOX, smtp: { host: '127.0.0.1', port: mailPort, tls: 'none' } }] },
    chat: { sites: [{ ref: SITE.ref, origins: [SITE.origin] }] },
    phone: { numbers: [{ number: OUR_NUMBER, accountSid: twilioAccount, authToken: `${secret}-twilio`, apiUrl: twilioUrl }] },
  };
}
