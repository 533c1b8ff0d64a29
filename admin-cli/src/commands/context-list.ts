import { defineCommand } from '../command.js';
import { table } from '../output.js';

export const contextList = defineCommand({
  usage: 'list',
  describe: 'List the licence servers this account has joined',
  examples: [['berth context list', 'the current one is marked with *']],
  run: async (context) => {
    const store = context.sdk.identities(context.settings.home);
    const current = await store.current();
    const { contexts, damaged } = await store.listReadable();
    const items = contexts.map(({ name, organisation, email, servers, scopes, serverId, deviceName }) => ({
      name,
      current: name === current,
      organisation,
      email,
      servers,
      serverId,
      deviceName,
      scopes,
    }));
    return {
      document: { items, next: null, ...(damaged.length === 0 ? {} : { damaged }) },
      text: (screen) =>
        table(
          items,
          [
            { title: '', cell: (row) => (row.current ? '*' : ' ') },
            { title: 'NAME', cell: (row) => row.name },
            { title: 'ORGANISATION', cell: (row) => row.organisation },
            { title: 'USER', cell: (row) => row.email },
            { title: 'DEVICE', cell: (row) => row.deviceName },
            { title: 'SERVERS', cell: (row) => row.servers.join(', ') },
            { title: 'SCOPES', cell: (row) => row.scopes.join(', ') },
          ],
          screen,
        ),
      notes: [
        ...(items.length === 0 && damaged.length === 0 ? ['No server joined yet: berth join LINK'] : []),
        ...damaged.map(({ message, hint }) => `${message} ${hint}`),
      ],
    };
  },
});
