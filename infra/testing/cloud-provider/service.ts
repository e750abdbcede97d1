// The double of a cloud's provider: its table, what is there, and the nodes of its pools on the local cluster.

import type { PropertyMap } from "../../local-engine/protocol/properties.ts";
import type { ProviderDefinition } from "../../local-engine/provider/service.ts";
import { localApiServer } from "./api-server.ts";
import type { CloudTable, CloudView } from "./cloud.ts";
import { type Cloud, CloudHandler } from "./handler.ts";
import { CloudNodes } from "./nodes.ts";
import { type CloudState, CloudStore, cloudVariable } from "./store.ts";

export function cloudProvider(table: CloudTable): ProviderDefinition {
  return {
    name: table.name,
    version: table.version,
    replacingArguments: (before, after) =>
      table.replacingArguments.filter((name) => before[name] !== after[name]),
    async configure(provider) {
      const cloud = cloudOf(table, provider);
      return {
        handlerOf(type) {
          const resource = table.resources[type];
          if (resource === undefined) {
            throw new Error(`the double of the ${table.name} provider does not know the type ${type}`);
          }
          return new CloudHandler(cloud, type, resource);
        },
        invoke(token, args) {
          const answer = table.functions[token];
          return answer === undefined ? undefined : invoked(cloud, token, args, answer);
        },
      };
    },
  };
}

async function invoked(
  { table, store, view }: Cloud,
  type: string,
  inputs: PropertyMap,
  answer: (args: PropertyMap, cloud: CloudView) => PropertyMap,
): Promise<PropertyMap> {
  const request = { package: table.name, operation: "invoke", type, name: "", inputs } as const;
  try {
    const result = answer(inputs, view(store.read()));
    store.record(request);
    return result;
  } catch (error) {
    store.record({ ...request, refusal: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

function cloudOf(table: CloudTable, provider: PropertyMap): Cloud {
  const statePath = process.env[cloudVariable];
  if (statePath === undefined) {
    throw new Error(`${cloudVariable} must name the file that says what is in the cloud`);
  }
  const store = new CloudStore(statePath);
  const server = localApiServer(process.env);
  const view = ({ account, records: all }: CloudState): CloudView => {
    const own = all.filter((record) => record.package === table.name);
    const records = (type?: string) => own.filter((record) => type === undefined || record.type === type);
    return {
      provider,
      account,
      records,
      find: (type, id) => records(type).find((record) => record.id === id),
      apiServer: server,
    };
  };
  return { table, store, nodes: new CloudNodes(server), view };
}
