import { runService } from '@tierline/service';
import { emailService } from './email.module.ts';

await runService(emailService);
