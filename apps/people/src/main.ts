import { runService } from '@tierline/service';
import { peopleService } from './people.module.ts';

await runService(peopleService);
