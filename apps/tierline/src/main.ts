import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { apply } from './apply.ts';
import { clockInWords, type ExplainedClock } from './clock-in-words.ts';
import { readConfiguration } from './read-configuration.ts';

// Commands import what they need when they run: `parse` needs no server, and `--help` needs nothing.

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new InvalidArgumentError('expected a whole number above 0');
  return value;
};

const program = new Command('tierline')
  .description('Every customer contact becomes exactly one ticket, reaches the right person, and is never forgotten.')
  .showHelpAfterError();

program
  .command('start')
  .description('run everything in this process; with DATABASE_URL and KAFKA_BROKERS as the environment says, else embedded')
  .action(async () => (await import('./start.service.ts')).start());

program
  .command('demo')
  .description('start everything, send real contacts through the public doors, and draw what happens')
  .option('--seconds <n>', 'how long contacts come in', whole, 60)
  .option('--rate <n>', 'contacts a second', whole, 6)
  .option('--kafka', 'every service as its own process over a real Apache Kafka')
  .action(async (options: { seconds: number; rate: number; kafka?: boolean }) => {
    const { demo } = await import('./demo/demo.service.ts');
    await demo({ seconds: options.seconds, rate: options.rate, kafka: options.kafka === true });
  });

const remote = (command: Command): Command =>
  command
    .option('--url <url>', 'where Tierline answers', process.env['TIERLINE_URL'] ?? 'http://127.0.0.1:4000')
    .option('--token <token>', 'an administrator’s token (default: TIERLINE_ADMIN_TOKEN, or the one of the embedded installation here)');

interface Remote {
  url: string;
  token?: string;
}

async function tokenOf({ token }: Remote): Promise<string> {
  if (token !== undefined) return token;
  if (process.env['TIERLINE_ADMIN_TOKEN']) return process.env['TIERLINE_ADMIN_TOKEN'];
  try {
    return await readFile(join(process.env['TIERLINE_DATA'] ?? '.tierline', 'admin-token'), 'utf8');
  } catch {
    throw new Error('there is no token: give --token or TIERLINE_ADMIN_TOKEN');
  }
}

async function ask(remoteOptions: Remote, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${remoteOptions.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(remoteOptions)}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Error(`${response.status}: ${(answer as { detail?: string } | null)?.detail ?? response.statusText}`);
  return answer;
}

const print = (answer: unknown): void => console.log(answer === null ? 'done' : JSON.stringify(answer, null, 2));

remote(program.command('apply'))
  .argument('<file>', 'tierline.yaml')
  .description('check a configuration as a whole and bring a running installation to it; applying twice changes nothing')
  .action(async (file: string, options: Remote) => {
    const { sections } = await import('./services.ts');
    const configuration = readConfiguration(
      await readFile(file, 'utf8'),
      Object.fromEntries(sections.map(({ service, configuration: schema }) => [service.name, schema])),
      process.env,
    );
    const order = sections.map(({ service }) => service.name);
    for (const { section, changed } of await apply(configuration, order, { urlOf: () => options.url, token: await tokenOf(options) })) {
      console.log(`${section}: ${changed === 0 ? 'unchanged' : `${changed} changed`}`);
    }
  });

remote(program.command('explain'))
  .argument('<ticket>', 'the number or the id of a ticket')
  .description('say of each SLA clock of a ticket why it is due when it is')
  .action(async (ticket: string, options: Remote) => {
    const isNumber = /^#?\d+$/.test(ticket);
    const { id } = isNumber ? ((await ask(options, 'GET', `/tickets/v1/tickets/${ticket.replace('#', '')}`)) as { id: string }) : { id: ticket };
    const path = `/escalation/v1/tickets/${encodeURIComponent(id)}/clocks`;
    const { clocks } = (await ask(options, 'GET', path)) as { clocks: { clockId: string }[] };
    if (clocks.length === 0) console.log('this ticket has no clocks');
    for (const { clockId } of clocks) console.log(`${clockInWords((await ask(options, 'GET', `${path}/${clockId}/explain`)) as ExplainedClock)}\n`);
  });

const parked = program.command('parked').description('events that could not be handled: list them, look at them, send them again, or let them go');
remote(parked.command('list'))
  .option('--group <name>', 'only of this group')
  .action(async (options: Remote & { group?: string }) =>
    print(await ask(options, 'GET', `/log/v1/parked${options.group ? `?group=${encodeURIComponent(options.group)}` : ''}`)),
  );
remote(parked.command('show'))
  .argument('<id>')
  .action(async (id: string, options: Remote) => print(await ask(options, 'GET', `/log/v1/parked/${encodeURIComponent(id)}`)));
remote(parked.command('retry'))
  .argument('<id>')
  .description('try it again now; the later events of its key follow')
  .action(async (id: string, options: Remote) => print(await ask(options, 'POST', `/log/v1/parked/${encodeURIComponent(id)}/retry`)));
remote(parked.command('skip'))
  .argument('<id>')
  .description('let it go; the later events of its key follow')
  .action(async (id: string, options: Remote) => print(await ask(options, 'POST', `/log/v1/parked/${encodeURIComponent(id)}/skip`)));
remote(parked.command('edit'))
  .argument('<id>')
  .argument('<file>', 'JSON file with the corrected event, as `show` prints its payload')
  .description('put another event in its place and try that')
  .action(async (id: string, file: string, options: Remote) =>
    print(await ask(options, 'PUT', `/log/v1/parked/${encodeURIComponent(id)}`, { event: JSON.parse(await readFile(file, 'utf8')) as unknown })),
  );

remote(program.command('replay'))
  .argument('<group>', 'a group that only reads')
  .description('let a group read the log again from the beginning; refused for groups with effects')
  .action(async (group: string, options: Remote) => print(await ask(options, 'POST', `/log/v1/groups/${encodeURIComponent(group)}/replay`)));

program
  .command('parse')
  .argument('<files...>', '.eml files')
  .description('print the contact that each mail normalizes to, one line of JSON a file; needs no server')
  .action(async (files: string[]) => {
    await (await import('./parse-files.service.ts')).parseFiles(files);
  });

program
  .command('simulate')
  .requiredOption('--spec <file>', 'what to simulate: docs/simulator.md')
  .option('--json', 'print only JSON')
  .description('ask the matcher in simulated time: waits, lost contacts and utilisation, with intervals; needs no server')
  .action(async ({ spec, json }: { spec: string; json?: boolean }) => {
    await (await import('./simulate/simulate.service.ts')).simulate(spec, json === true);
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
