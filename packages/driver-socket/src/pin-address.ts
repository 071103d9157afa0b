import { lookup as systemLookup, type LookupAddress } from "node:dns";
import type { LookupFunction, Socket } from "node:net";

/** All addresses of a name, in the order in which they are to be tried. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

/** What the streams of one runner share while any of them is open: the address to which its name led first. */
export interface AddressPin {
  /** One more stream is on its way. */
  hold(): HeldAddress;
}

export interface HeldAddress {
  /** For `net.connect`; the first stream tries all addresses of the name, the others take the one that it reached. */
  readonly lookup: LookupFunction;
  /** The stream stands, at the address that its socket says. */
  connected(socket: Socket): void;
  failed(): void;
  /** The stream is gone. */
  release(): void;
}

/**
 * A name may have several addresses with an engine behind each, and a session must stay on one: so the streams that a runner has at a
 * time all go where the first one went. With the last of them the address is forgotten, and the next session asks for it anew.
 */
export function createAddressPin(resolve: ResolveName = resolveBySystem): AddressPin {
  let users = 0;
  let first: Promise<LookupAddress | undefined> | undefined;

  return {
    hold() {
      users++;
      let found: Promise<LookupAddress | undefined> | undefined;
      let lead: ((address: LookupAddress | undefined) => void) | undefined;

      const addressesOf = async (hostname: string): Promise<readonly LookupAddress[]> => {
        while (first !== undefined) {
          found = first;
          const address = await found;
          if (address !== undefined) return [address];
        }
        first = found = new Promise((settle) => (lead = settle));
        const addresses = await resolve(hostname);
        // With a single one there is nothing to wait for.
        if (addresses.length === 1) lead?.(addresses[0]);
        return addresses;
      };
      return {
        lookup(hostname, options, callback) {
          addressesOf(hostname).then(
            (addresses) => {
              if (options.all) return callback(null, [...addresses]);
              const [{ address, family } = { address: "", family: 0 }] = addresses;
              callback(null, address, family);
            },
            (error: NodeJS.ErrnoException) => callback(error, "", 0),
          );
        },
        connected({ remoteAddress, remoteFamily }) {
          lead?.(remoteAddress === undefined ? undefined : { address: remoteAddress, family: remoteFamily === "IPv6" ? 6 : 4 });
        },
        failed() {
          users--;
          if (first === found || users === 0) first = undefined;
          lead?.(undefined);
        },
        release() {
          users--;
          if (users === 0) first = undefined;
        },
      };
    },
  };
}

function resolveBySystem(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}
