import { runService } from '@tierline/service';
import { chatService } from './chat.module.ts';

await runService(chatService);
