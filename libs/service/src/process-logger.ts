import { ConsoleLogger } from '@nestjs/common';

/** What Nest says about its own wiring at every start: hundreds of lines that help nobody who runs Tierline. */
const WIRING = new Set(['InstanceLoader', 'RouterExplorer', 'RoutesResolver', 'NestFactory', 'NestApplication', 'NestMicroservice', 'WebSocketsController']);

/** The log of a process: lines for people at a terminal, JSON for machines elsewhere. */
export class ProcessLogger extends ConsoleLogger {
  constructor() {
    super({ json: !process.stdout.isTTY, colors: process.stdout.isTTY });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!WIRING.has(String(rest.at(-1)))) super.log(message, ...(rest as [string]));
  }
}
