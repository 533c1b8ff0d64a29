// A plugin in five lines. Join once with `npx --no-install berth join LINK`; the vendor's key is the one in vendor.pub.
import { connect } from '@berth/client';

await using client = await connect({ product: 'render', vendorKeys: [process.env.VENDOR_KEY ?? ''] });
await using seat = await client.checkout({ wait: 30_000 });
seat.on('lost', ({ message }) => console.error(`Save your work: ${message}`));
console.log(`Rendering on ${seat.seats} seat, which is ${seat.state}.`);
