/** The core API of engine 0.21.8, without descriptions: data, not ours to change. */
export const CORE_API_SDL = `directive @cache(policy: FunctionCachePolicy, ttl: String) on FIELD_DEFINITION
directive @check on FIELD_DEFINITION
directive @defaultAddress(address: String!) on ARGUMENT_DEFINITION
directive @defaultPath(path: String!) on ARGUMENT_DEFINITION
directive @enumValue(value: String!) on ENUM_VALUE
directive @expectedType(name: String!) on ARGUMENT_DEFINITION | FIELD_DEFINITION
directive @experimental(reason: String! = "Not stabilized") on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @generate on FIELD_DEFINITION
directive @ignorePatterns(patterns: [String!]!) on ARGUMENT_DEFINITION
directive @sourceMap(module: String!, filename: String!, line: Int!, column: Int!, url: String!) on SCALAR | OBJECT | FIELD_DEFINITION | ARGUMENT_DEFINITION | UNION | ENUM | ENUM_VALUE | INPUT_OBJECT
directive @up on FIELD_DEFINITION
type Address implements Node {
  container: Container!
  directory(exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false, noCache: Boolean = false): Directory!
  file(exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false, noCache: Boolean = false): File!
  gitRef: GitRef!
  gitRepository: GitRepository!
  id: ID!
  secret: Secret!
  service: Service!
  socket: Socket!
  value: String!
}
scalar AddressID
type Binding implements Node {
  asAddress: Address!
  asCacheVolume: CacheVolume!
  asChangeset: Changeset!
  asCheck: Check!
  asCheckGroup: CheckGroup!
  asCloud: Cloud!
  asContainer: Container!
  asDiffStat: DiffStat!
  asDirectory: Directory!
  asEnv: Env!
  asEnvFile: EnvFile!
  asFile: File!
  asGenerator: Generator!
  asGeneratorGroup: GeneratorGroup!
  asGitRef: GitRef!
  asGitRepository: GitRepository!
  asHTTPState: HTTPState!
  asJSONValue: JSONValue!
  asModule: Module!
  asModuleConfigClient: ModuleConfigClient!
  asModuleSource: ModuleSource!
  asSearchResult: SearchResult!
  asSearchSubmatch: SearchSubmatch!
  asSecret: Secret!
  asService: Service!
  asSocket: Socket!
  asStat: Stat
  asString: String
  asUp: Up!
  asUpGroup: UpGroup!
  asWorkspace: Workspace!
  digest: String!
  id: ID!
  isNull: Boolean!
  name: String!
  typeName: String!
}
scalar BindingID
input BuildArg {
  name: String!
  value: String!
}
enum CacheSharingMode {
  SHARED
  PRIVATE
  LOCKED
}
type CacheVolume implements Node {
  id: ID!
}
scalar CacheVolumeID
type Changeset implements Exportable & Node & Syncer {
  addedPaths: [String!]!
  after: Directory!
  asPatch: File!
  before: Directory!
  diffStats: [DiffStat!]!
  export(path: String!): String!
  id: ID!
  isEmpty: Boolean!
  layer: Directory!
  modifiedPaths: [String!]!
  removedPaths: [String!]!
  sync: ID!
  withChangeset(changes: ID!, onConflict: ChangesetMergeConflict = FAIL): Changeset!
  withChangesets(changes: [ID!]!, onConflict: ChangesetsMergeConflict = FAIL): Changeset!
}
scalar ChangesetID
enum ChangesetMergeConflict {
  FAIL_EARLY
  FAIL
  LEAVE_CONFLICT_MARKERS
  PREFER_OURS
  PREFER_THEIRS
}
enum ChangesetsMergeConflict {
  FAIL_EARLY
  FAIL
}
type Check implements Node {
  checkType: String!
  completed: Boolean!
  description: String!
  error: Error
  id: ID!
  name: String!
  originalModule: Module!
  passed: Boolean!
  path: [String!]!
  resultEmoji: String!
  run: Check!
}
type CheckGroup implements Node {
  id: ID!
  list: [Check!]!
  report: File!
  run(failFast: Boolean): CheckGroup!
}
scalar CheckGroupID
scalar CheckID
type ClientFilesyncMirror implements Node {
  id: ID!
}
scalar ClientFilesyncMirrorID
type Cloud implements Node {
  id: ID!
  traceURL: String!
}
scalar CloudID
type Container implements Exportable & Node & Syncer {
  asService(args: [String!] = [], useEntrypoint: Boolean = false, experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false, expand: Boolean = false, noInit: Boolean = false): Service!
  asTarball(platformVariants: [ID!] = [], forcedCompression: ImageLayerCompression, mediaTypes: ImageMediaTypes = OCIMediaTypes): File!
  combinedOutput: String!
  defaultArgs: [String!]!
  directory(path: String!, expand: Boolean = false): Directory!
  dockerHealthcheck: HealthcheckConfig
  entrypoint: [String!]!
  envVariable(name: String!): String
  envVariables: [EnvVariable!]!
  exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false, expand: Boolean = false): Boolean!
  exitCode: Int!
  experimentalWithAllGPUs: Container!
  experimentalWithGPU(devices: [String!]!): Container!
  export(path: String!, platformVariants: [ID!] = [], forcedCompression: ImageLayerCompression, mediaTypes: ImageMediaTypes = OCIMediaTypes, expand: Boolean = false): String!
  exportImage(name: String!, platformVariants: [ID!] = [], forcedCompression: ImageLayerCompression, mediaTypes: ImageMediaTypes = OCIMediaTypes): Void!
  exposedPorts: [Port!]!
  file(path: String!, expand: Boolean = false): File!
  from(address: String!, registryService: ID): Container!
  id: ID!
  imageRef: String!
  import(source: ID!, tag: String = ""): Container!
  label(name: String!): String
  labels: [Label!]!
  mounts: [String!]!
  platform: Platform!
  publish(address: String!, platformVariants: [ID!] = [], forcedCompression: ImageLayerCompression, mediaTypes: ImageMediaTypes = OCIMediaTypes, registryService: ID): String!
  rootfs: Directory!
  stat(path: String!, doNotFollowSymlinks: Boolean = false): Stat
  stderr: String!
  stdout: String!
  sync: ID!
  terminal(cmd: [String!] = [], experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false): Container!
  up(random: Boolean = false, ports: [PortForward!] = [], args: [String!] = [], useEntrypoint: Boolean = false, experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false, expand: Boolean = false, noInit: Boolean = false): Void
  user: String!
  withAnnotation(name: String!, value: String!): Container!
  withDefaultArgs(args: [String!]!): Container!
  withDefaultTerminalCmd(args: [String!]!, experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false): Container!
  withDirectory(path: String!, source: ID!, exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false, owner: String = "", expand: Boolean = false, permissions: Int): Container!
  withDockerHealthcheck(args: [String!]!, shell: Boolean, interval: String, timeout: String, startPeriod: String, startInterval: String, retries: Int): Container!
  withEntrypoint(args: [String!]!, keepDefaultArgs: Boolean = false): Container!
  withEnvFileVariables(source: ID!): Container!
  withEnvVariable(name: String!, value: String!, expand: Boolean = false): Container!
  withError(err: String!): Container!
  withExec(args: [String!]!, useEntrypoint: Boolean = false, stdin: String = "", redirectStdin: String = "", redirectStdout: String = "", redirectStderr: String = "", expect: ReturnType = SUCCESS, experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false, expand: Boolean = false, noInit: Boolean = false): Container!
  withExposedPort(port: Int!, protocol: NetworkProtocol = TCP, description: String, experimentalSkipHealthcheck: Boolean = false): Container!
  withFile(path: String!, source: ID!, permissions: Int, owner: String = "", expand: Boolean = false): Container!
  withFiles(path: String!, sources: [ID!]!, permissions: Int, owner: String = "", expand: Boolean = false): Container!
  withLabel(name: String!, value: String!): Container!
  withMountedCache(path: String!, cache: ID!, source: ID, sharing: CacheSharingMode = SHARED, owner: String = "", expand: Boolean = false): Container!
  withMountedDirectory(path: String!, source: ID!, owner: String = "", readOnly: Boolean = false, expand: Boolean = false): Container!
  withMountedFile(path: String!, source: ID!, owner: String = "", expand: Boolean = false): Container!
  withMountedSecret(path: String!, source: ID!, owner: String = "", mode: Int = 256, expand: Boolean = false): Container!
  withMountedTemp(path: String!, size: Int, expand: Boolean = false): Container!
  withNewFile(path: String!, contents: String!, permissions: Int = 420, owner: String = "", expand: Boolean = false): Container!
  withRegistryAuth(address: String!, username: String!, secret: ID!): Container!
  withRootfs(directory: ID!): Container!
  withSecretVariable(name: String!, secret: ID!): Container!
  withServiceBinding(alias: String!, service: ID!): Container!
  withSymlink(target: String!, linkName: String!, expand: Boolean = false): Container!
  withUnixSocket(path: String!, source: ID!, owner: String = "", expand: Boolean = false): Container!
  withUser(name: String!): Container!
  withVolatileVariable(name: String!, value: String!): Container!
  withWorkdir(path: String!, expand: Boolean = false): Container!
  withoutAnnotation(name: String!): Container!
  withoutDefaultArgs: Container!
  withoutDirectory(path: String!, expand: Boolean = false): Container!
  withoutDockerHealthcheck: Container!
  withoutEntrypoint(keepDefaultArgs: Boolean = false): Container!
  withoutEnvVariable(name: String!): Container!
  withoutExposedPort(port: Int!, protocol: NetworkProtocol = TCP): Container!
  withoutFile(path: String!, expand: Boolean = false): Container!
  withoutFiles(paths: [String!]!, expand: Boolean = false): Container!
  withoutLabel(name: String!): Container!
  withoutMount(path: String!, expand: Boolean = false): Container!
  withoutRegistryAuth(address: String!): Container!
  withoutSecretVariable(name: String!): Container!
  withoutUnixSocket(path: String!, expand: Boolean = false): Container!
  withoutUser: Container!
  withoutVolatileVariable(name: String!): Container!
  withoutWorkdir: Container!
  workdir: String!
}
scalar ContainerID
type CurrentModule implements Node {
  dependencies: [Module!]!
  generatedContextDirectory: Directory!
  generators(include: [String!]): GeneratorGroup!
  id: ID!
  name: String!
  source: Directory!
  workdir(path: String!, exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false): Directory!
  workdirFile(path: String!): File!
}
scalar CurrentModuleID
type DiffStat implements Node {
  addedLines: Int!
  id: ID!
  kind: DiffStatKind!
  oldPath: String
  path: String!
  removedLines: Int!
}
scalar DiffStatID
enum DiffStatKind {
  ADDED
  MODIFIED
  REMOVED
  RENAMED
}
type Directory implements Exportable & Node & Syncer {
  asGit: GitRepository!
  asModule(sourceRootPath: String = "."): Module!
  asModuleSource(sourceRootPath: String = "."): ModuleSource!
  changes(from: ID!): Changeset!
  chown(path: String!, owner: String!): Directory!
  diff(other: ID!): Directory!
  digest: String!
  directory(path: String!): Directory!
  dockerBuild(dockerfile: String = "Dockerfile", platform: Platform, buildArgs: [BuildArg!] = [], target: String = "", secrets: [ID!] = [], noInit: Boolean = false, ssh: ID): Container!
  entries(path: String): [String!]!
  exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false): Boolean!
  export(path: String!, wipe: Boolean = false): String!
  file(path: String!): File!
  filter(exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false): Directory!
  findUp(name: String!, start: String!): String
  glob(pattern: String!): [String!]!
  id: ID!
  name: String!
  search(paths: [String!] = [], globs: [String!] = [], pattern: String!, literal: Boolean = false, multiline: Boolean = false, dotall: Boolean = false, insensitive: Boolean = false, skipIgnored: Boolean = false, skipHidden: Boolean = false, filesOnly: Boolean = false, limit: Int): [SearchResult!]!
  stat(path: String!, doNotFollowSymlinks: Boolean = false): Stat
  sync: ID!
  terminal(container: ID, cmd: [String!] = [], experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false): Directory!
  withChanges(changes: ID!): Directory!
  withDirectory(path: String!, source: ID!, exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false, owner: String = "", permissions: Int): Directory!
  withError(err: String!): Directory!
  withFile(path: String!, source: ID!, permissions: Int, owner: String = ""): Directory!
  withFiles(path: String!, sources: [ID!]!, permissions: Int): Directory!
  withNewDirectory(path: String!, permissions: Int = 420): Directory!
  withNewFile(path: String!, contents: String!, permissions: Int = 420): Directory!
  withPatch(patch: String!): Directory!
  withPatchFile(patch: ID!): Directory!
  withSymlink(target: String!, linkName: String!): Directory!
  withTimestamps(timestamp: Int!): Directory!
  withoutDirectory(path: String!): Directory!
  withoutFile(path: String!): Directory!
  withoutFiles(paths: [String!]!): Directory!
}
scalar DirectoryID
type Engine implements Node {
  clients: [String!]!
  id: ID!
  localCache: EngineCache!
  name: String!
}
type EngineCache implements Node {
  entrySet(key: String = ""): EngineCacheEntrySet!
  id: ID!
  maxUsedSpace: Int!
  minFreeSpace: Int!
  prune(useDefaultPolicy: Boolean = false, maxUsedSpace: String = "", reservedSpace: String = "", minFreeSpace: String = "", targetSpace: String = ""): Void
  reservedSpace: Int!
  targetSpace: Int!
}
type EngineCacheEntry implements Node {
  activelyUsed: Boolean!
  createdTimeUnixNano: Int!
  dagqlCall: String!
  description: String!
  diskSpaceBytes: Int!
  id: ID!
  mostRecentUseTimeUnixNano: Int!
  recordType: String!
  recordTypes: [String!]!
}
scalar EngineCacheEntryID
type EngineCacheEntrySet implements Node {
  diskSpaceBytes: Int!
  entries: [EngineCacheEntry!]!
  entryCount: Int!
  id: ID!
}
scalar EngineCacheEntrySetID
scalar EngineCacheID
scalar EngineID
type EnumTypeDef implements Node {
  description: String!
  id: ID!
  members: [EnumValueTypeDef!]!
  name: String!
  sourceMap: SourceMap
  sourceModuleName: String!
  values: [EnumValueTypeDef!]! @deprecated
}
scalar EnumTypeDefID
type EnumValueTypeDef implements Node {
  deprecated: String
  description: String!
  id: ID!
  name: String!
  sourceMap: SourceMap
  value: String!
}
scalar EnumValueTypeDefID
type Env implements Node {
  check(name: String!): Check!
  checks(include: [String!], noGenerate: Boolean): CheckGroup!
  id: ID!
  input(name: String!): Binding!
  inputs: [Binding!]!
  output(name: String!): Binding!
  outputs: [Binding!]!
  services(include: [String!]): UpGroup!
  withAddressInput(name: String!, value: ID!, description: String!): Env!
  withAddressOutput(name: String!, description: String!): Env!
  withCacheVolumeInput(name: String!, value: ID!, description: String!): Env!
  withCacheVolumeOutput(name: String!, description: String!): Env!
  withChangesetInput(name: String!, value: ID!, description: String!): Env!
  withChangesetOutput(name: String!, description: String!): Env!
  withCheckGroupInput(name: String!, value: ID!, description: String!): Env!
  withCheckGroupOutput(name: String!, description: String!): Env!
  withCheckInput(name: String!, value: ID!, description: String!): Env!
  withCheckOutput(name: String!, description: String!): Env!
  withCloudInput(name: String!, value: ID!, description: String!): Env!
  withCloudOutput(name: String!, description: String!): Env!
  withContainerInput(name: String!, value: ID!, description: String!): Env!
  withContainerOutput(name: String!, description: String!): Env!
  withCurrentModule: Env!
  withDiffStatInput(name: String!, value: ID!, description: String!): Env!
  withDiffStatOutput(name: String!, description: String!): Env!
  withDirectoryInput(name: String!, value: ID!, description: String!): Env!
  withDirectoryOutput(name: String!, description: String!): Env!
  withEnvFileInput(name: String!, value: ID!, description: String!): Env!
  withEnvFileOutput(name: String!, description: String!): Env!
  withEnvInput(name: String!, value: ID!, description: String!): Env!
  withEnvOutput(name: String!, description: String!): Env!
  withFileInput(name: String!, value: ID!, description: String!): Env!
  withFileOutput(name: String!, description: String!): Env!
  withGeneratorGroupInput(name: String!, value: ID!, description: String!): Env!
  withGeneratorGroupOutput(name: String!, description: String!): Env!
  withGeneratorInput(name: String!, value: ID!, description: String!): Env!
  withGeneratorOutput(name: String!, description: String!): Env!
  withGitRefInput(name: String!, value: ID!, description: String!): Env!
  withGitRefOutput(name: String!, description: String!): Env!
  withGitRepositoryInput(name: String!, value: ID!, description: String!): Env!
  withGitRepositoryOutput(name: String!, description: String!): Env!
  withHTTPStateInput(name: String!, value: ID!, description: String!): Env!
  withHTTPStateOutput(name: String!, description: String!): Env!
  withJSONValueInput(name: String!, value: ID!, description: String!): Env!
  withJSONValueOutput(name: String!, description: String!): Env!
  withMainModule(module: ID!): Env!
  withModule(module: ID!): Env! @deprecated
  withModuleConfigClientInput(name: String!, value: ID!, description: String!): Env!
  withModuleConfigClientOutput(name: String!, description: String!): Env!
  withModuleInput(name: String!, value: ID!, description: String!): Env!
  withModuleOutput(name: String!, description: String!): Env!
  withModuleSourceInput(name: String!, value: ID!, description: String!): Env!
  withModuleSourceOutput(name: String!, description: String!): Env!
  withSearchResultInput(name: String!, value: ID!, description: String!): Env!
  withSearchResultOutput(name: String!, description: String!): Env!
  withSearchSubmatchInput(name: String!, value: ID!, description: String!): Env!
  withSearchSubmatchOutput(name: String!, description: String!): Env!
  withSecretInput(name: String!, value: ID!, description: String!): Env!
  withSecretOutput(name: String!, description: String!): Env!
  withServiceInput(name: String!, value: ID!, description: String!): Env!
  withServiceOutput(name: String!, description: String!): Env!
  withSocketInput(name: String!, value: ID!, description: String!): Env!
  withSocketOutput(name: String!, description: String!): Env!
  withStatInput(name: String!, value: ID!, description: String!): Env!
  withStatOutput(name: String!, description: String!): Env!
  withStringInput(name: String!, value: String!, description: String!): Env!
  withStringOutput(name: String!, description: String!): Env!
  withUpGroupInput(name: String!, value: ID!, description: String!): Env!
  withUpGroupOutput(name: String!, description: String!): Env!
  withUpInput(name: String!, value: ID!, description: String!): Env!
  withUpOutput(name: String!, description: String!): Env!
  withWorkspace(workspace: ID!): Env!
  withWorkspaceInput(name: String!, value: ID!, description: String!): Env!
  withWorkspaceOutput(name: String!, description: String!): Env!
  withoutOutputs: Env!
  workspace: Directory!
}
type EnvFile implements Node {
  asFile: File!
  exists(name: String!): Boolean!
  get(name: String!, raw: Boolean): String!
  id: ID!
  namespace(prefix: String!): EnvFile!
  variables(raw: Boolean): [EnvVariable!]!
  withVariable(name: String!, value: String!): EnvFile!
  withoutVariable(name: String!): EnvFile!
}
scalar EnvFileID
scalar EnvID
type EnvVariable implements Node {
  id: ID!
  name: String!
  value: String!
}
scalar EnvVariableID
type Error implements Node {
  id: ID!
  message: String!
  values: [ErrorValue!]!
  withValue(name: String!, value: JSON!): Error!
}
scalar ErrorID
type ErrorValue implements Node {
  id: ID!
  name: String!
  value: JSON!
}
scalar ErrorValueID
enum ExistsType {
  REGULAR_TYPE
  DIRECTORY_TYPE
  SYMLINK_TYPE
}
interface Exportable implements Node {
  export(path: String!): String!
  id: ID!
}
scalar ExportableID
type FieldTypeDef implements Node {
  deprecated: String
  description: String!
  id: ID!
  name: String!
  sourceMap: SourceMap
  typeDef: TypeDef!
}
scalar FieldTypeDefID
type File implements Exportable & Node & Syncer {
  asEnvFile(expand: Boolean @deprecated): EnvFile!
  asJSON: JSONValue!
  chown(owner: String!): File!
  contents(offsetLines: Int, limitLines: Int): String!
  digest(excludeMetadata: Boolean = false): String!
  export(path: String!, allowParentDirPath: Boolean = false): String!
  id: ID!
  name: String!
  search(pattern: String!, literal: Boolean = false, multiline: Boolean = false, dotall: Boolean = false, insensitive: Boolean = false, skipIgnored: Boolean = false, skipHidden: Boolean = false, filesOnly: Boolean = false, limit: Int, paths: [String!] = [], globs: [String!] = []): [SearchResult!]!
  size: Int!
  stat: Stat
  sync: ID!
  withName(name: String!): File!
  withReplaced(search: String!, replacement: String!, all: Boolean = false, firstFrom: Int): File!
  withTimestamps(timestamp: Int!): File!
}
scalar FileID
enum FileType {
  UNKNOWN
  REGULAR
  DIRECTORY
  SYMLINK
  REGULAR_TYPE
  DIRECTORY_TYPE
  SYMLINK_TYPE
}
type Function implements Node {
  args: [FunctionArg!]!
  deprecated: String
  description: String!
  id: ID!
  name: String!
  returnType: TypeDef!
  sourceMap: SourceMap
  sourceModuleName: String!
  withArg(name: String!, typeDef: ID!, description: String = "", defaultValue: JSON, defaultPath: String = "", ignore: [String!] = [], sourceMap: ID, deprecated: String, defaultAddress: String = ""): Function!
  withCachePolicy(policy: FunctionCachePolicy!, timeToLive: String): Function!
  withCheck: Function!
  withDeprecated(reason: String): Function!
  withDescription(description: String!): Function!
  withGenerator: Function!
  withSourceMap(sourceMap: ID!): Function!
  withUp: Function!
}
type FunctionArg implements Node {
  defaultAddress: String!
  defaultPath: String!
  defaultValue: JSON!
  deprecated: String
  description: String!
  id: ID!
  ignore: [String!]!
  name: String!
  sourceMap: SourceMap
  typeDef: TypeDef!
}
scalar FunctionArgID
enum FunctionCachePolicy {
  Default
  PerSession
  Never
}
type FunctionCall implements Node {
  id: ID!
  inputArgs: [FunctionCallArgValue!]!
  name: String!
  parent: JSON!
  parentName: String!
  returnError(error: ID!): Void
  returnValue(value: JSON!): Void
}
type FunctionCallArgValue implements Node {
  id: ID!
  name: String!
  value: JSON!
}
scalar FunctionCallArgValueID
scalar FunctionCallID
scalar FunctionID
type GeneratedCode implements Node {
  code: Directory!
  id: ID!
  vcsGeneratedPaths: [String!]!
  vcsIgnoredPaths: [String!]!
  withVCSGeneratedPaths(paths: [String!]!): GeneratedCode!
  withVCSIgnoredPaths(paths: [String!]!): GeneratedCode!
}
scalar GeneratedCodeID
type Generator implements Node {
  changes: Changeset!
  completed: Boolean!
  description: String!
  id: ID!
  isEmpty: Boolean!
  name: String!
  originalModule: Module!
  path: [String!]!
  run: Generator!
}
type GeneratorGroup implements Node {
  changes(onConflict: ChangesetsMergeConflict = FAIL_EARLY): Changeset!
  id: ID!
  isEmpty: Boolean!
  list: [Generator!]!
  run: GeneratorGroup!
}
scalar GeneratorGroupID
scalar GeneratorID
type GitRef implements Node {
  commit: String!
  commonAncestor(other: ID!): GitRef!
  id: ID!
  ref: String!
  tree(discardGitDir: Boolean = false, depth: Int = 1, includeTags: Boolean = false): Directory!
}
scalar GitRefID
type GitRepository implements Node {
  branch(name: String!): GitRef!
  branches(patterns: [String!]): [String!]!
  commit(id: String!): GitRef!
  head: GitRef!
  id: ID!
  latestVersion: GitRef!
  ref(name: String!): GitRef!
  tag(name: String!): GitRef!
  tags(patterns: [String!]): [String!]!
  uncommitted: Changeset!
  url: String
}
scalar GitRepositoryID
type HTTPState implements Node {
  id: ID!
}
scalar HTTPStateID
type HealthcheckConfig implements Node {
  args: [String!]!
  id: ID!
  interval: String!
  retries: Int!
  shell: Boolean!
  startInterval: String!
  startPeriod: String!
  timeout: String!
}
scalar HealthcheckConfigID
type Host implements Node {
  containerImage(name: String!): Container!
  directory(path: String!, exclude: [String!] = [], include: [String!] = [], noCache: Boolean = false, gitignore: Boolean = false): Directory!
  file(path: String!, noCache: Boolean = false): File!
  findUp(name: String!, noCache: Boolean = false): String
  id: ID!
  service(ports: [PortForward!]!, host: String = "localhost"): Service!
  tunnel(service: ID!, native: Boolean = false, ports: [PortForward!] = []): Service!
  unixSocket(path: String!): Socket!
}
scalar HostID
enum ImageLayerCompression {
  Gzip
  Zstd
  EStarGZ
  Uncompressed
  GZIP
  ZSTD
  ESTARGZ
  UNCOMPRESSED
}
enum ImageMediaTypes {
  OCIMediaTypes
  DockerMediaTypes
  OCI
  DOCKER
}
type InputTypeDef implements Node {
  fields: [FieldTypeDef!]!
  id: ID!
  name: String!
}
scalar InputTypeDefID
type InterfaceTypeDef implements Node {
  description: String!
  functions: [Function!]!
  id: ID!
  name: String!
  sourceMap: SourceMap
  sourceModuleName: String!
}
scalar InterfaceTypeDefID
scalar JSON
type JSONValue implements Node {
  asArray: [JSONValue!]!
  asBoolean: Boolean!
  asInteger: Int!
  asString: String!
  contents(pretty: Boolean = false, indent: String = "  "): JSON!
  field(path: [String!]!): JSONValue!
  fields: [String!]!
  id: ID!
  newBoolean(value: Boolean!): JSONValue!
  newInteger(value: Int!): JSONValue!
  newString(value: String!): JSONValue!
  withContents(contents: JSON!): JSONValue!
  withField(path: [String!]!, value: ID!): JSONValue!
}
scalar JSONValueID
type LLM implements Node & Syncer {
  attempt(number: Int!): LLM!
  bindResult(name: String!): Binding
  env: Env!
  hasPrompt: Boolean!
  history: [String!]!
  historyJSON: JSON!
  id: ID!
  lastReply: String!
  loop: LLM!
  model: String!
  provider: String!
  step: ID!
  sync: ID!
  tokenUsage: LLMTokenUsage!
  tools: String!
  withBlockedFunction(typeName: String!, function: String!): LLM!
  withEnv(env: ID!): LLM!
  withMCPServer(name: String!, service: ID!): LLM!
  withModel(model: String!): LLM!
  withPrompt(prompt: String!): LLM!
  withPromptFile(file: ID!): LLM!
  withStaticTools: LLM!
  withSystemPrompt(prompt: String!): LLM!
  withoutDefaultSystemPrompt: LLM!
  withoutMessageHistory: LLM!
  withoutSystemPrompts: LLM!
}
scalar LLMID
type LLMTokenUsage implements Node {
  cachedTokenReads: Int!
  cachedTokenWrites: Int!
  id: ID!
  inputTokens: Int!
  outputTokens: Int!
  totalTokens: Int!
}
scalar LLMTokenUsageID
type Label implements Node {
  id: ID!
  name: String!
  value: String!
}
scalar LabelID
type ListTypeDef implements Node {
  elementTypeDef: TypeDef!
  id: ID!
}
scalar ListTypeDefID
type Module implements Node & Syncer {
  check(name: String!): Check!
  checks(include: [String!], noGenerate: Boolean): CheckGroup!
  dependencies: [Module!]!
  description: String!
  enums: [TypeDef!]!
  generatedContextDirectory: Directory!
  generator(name: String!): Generator!
  generators(include: [String!]): GeneratorGroup!
  id: ID!
  interfaces: [TypeDef!]!
  introspectionSchemaJSON: File!
  name: String!
  objects: [TypeDef!]!
  runtime: Container
  sdk: SDKConfig
  serve(includeDependencies: Boolean, entrypoint: Boolean): Void
  services(include: [String!]): UpGroup!
  source: ModuleSource
  sync: ID!
  userDefaults: EnvFile!
  withDescription(description: String!): Module!
  withEnum(enum: ID!): Module!
  withInterface(iface: ID!): Module!
  withObject(object: ID!): Module!
}
type ModuleConfigClient implements Node {
  directory: String!
  generator: String!
  id: ID!
}
scalar ModuleConfigClientID
scalar ModuleID
type ModuleSource implements Node & Syncer {
  asModule: Module!
  asString: String!
  blueprint: ModuleSource!
  cloneRef: String!
  commit: String!
  configClients: [ModuleConfigClient!]!
  configExists: Boolean!
  contextDirectory: Directory!
  dependencies: [ModuleSource!]!
  digest: String!
  directory(path: String!): Directory!
  engineVersion: String!
  generatedContextChangeset: Changeset!
  generatedContextDirectory: Directory!
  htmlRepoURL: String!
  htmlURL: String!
  id: ID!
  introspectionSchemaJSON: File!
  kind: ModuleSourceKind!
  localContextDirectoryPath: String!
  moduleName: String!
  moduleOriginalName: String!
  originalSubpath: String!
  pin: String!
  repoRootPath: String!
  sdk: SDKConfig
  sourceRootSubpath: String!
  sourceSubpath: String!
  sync: ID!
  toolchains: [ModuleSource!]!
  userDefaults: EnvFile!
  version: String!
  withBlueprint(blueprint: ID!): ModuleSource!
  withClient(generator: String!, outputDir: String!): ModuleSource!
  withDependencies(dependencies: [ID!]!): ModuleSource!
  withEngineVersion(version: String!): ModuleSource!
  withExperimentalFeatures(features: [ModuleSourceExperimentalFeature!]!): ModuleSource!
  withIncludes(patterns: [String!]!): ModuleSource!
  withName(name: String!): ModuleSource!
  withSDK(source: String!): ModuleSource!
  withSourceSubpath(path: String!): ModuleSource!
  withToolchains(toolchains: [ID!]!): ModuleSource!
  withUpdateBlueprint: ModuleSource!
  withUpdateDependencies(dependencies: [String!]!): ModuleSource!
  withUpdateToolchains(toolchains: [String!]!): ModuleSource!
  withUpdatedClients(clients: [String!]!): ModuleSource!
  withoutBlueprint: ModuleSource!
  withoutClient(path: String!): ModuleSource!
  withoutDependencies(dependencies: [String!]!): ModuleSource!
  withoutExperimentalFeatures(features: [ModuleSourceExperimentalFeature!]!): ModuleSource!
  withoutToolchains(toolchains: [String!]!): ModuleSource!
}
enum ModuleSourceExperimentalFeature {
  SELF_CALLS
}
scalar ModuleSourceID
enum ModuleSourceKind {
  LOCAL_SOURCE
  GIT_SOURCE
  DIR_SOURCE
  LOCAL
  GIT
  DIR
}
enum NetworkProtocol {
  TCP
  UDP
}
interface Node {
  id: ID!
}
type ObjectTypeDef implements Node {
  constructor: Function
  deprecated: String
  description: String!
  fields: [FieldTypeDef!]!
  functions: [Function!]!
  id: ID!
  name: String!
  sourceMap: SourceMap
  sourceModuleName: String!
}
scalar ObjectTypeDefID
input PipelineLabel {
  name: String!
  value: String!
}
scalar Platform
type Port implements Node {
  description: String
  experimentalSkipHealthcheck: Boolean!
  id: ID!
  port: Int!
  protocol: NetworkProtocol!
}
input PortForward {
  frontend: Int
  backend: Int!
  protocol: NetworkProtocol = TCP
}
scalar PortID
type Query implements Node {
  address(value: String!): Address!
  cacheVolume(key: String!, source: ID, sharing: CacheSharingMode = SHARED, owner: String = ""): CacheVolume!
  changeset: Changeset!
  cloud: Cloud!
  container(platform: Platform): Container!
  currentEnv: Env!
  currentFunctionCall: FunctionCall!
  currentModule: CurrentModule!
  currentTypeDefs(returnAllTypes: Boolean = false, hideCore: Boolean): [TypeDef!]!
  currentWorkspace: Workspace!
  defaultPlatform: Platform!
  directory: Directory!
  engine: Engine!
  env(privileged: Boolean = false, writable: Boolean = false): Env!
  envFile(expand: Boolean @deprecated): EnvFile!
  error(message: String!): Error!
  file(name: String!, contents: String!, permissions: Int = 420): File!
  function(name: String!, returnType: ID!): Function!
  generatedCode(code: ID!): GeneratedCode!
  git(url: String!, keepGitDir: Boolean = true @deprecated, sshKnownHosts: String = "", sshAuthSocket: ID, httpAuthUsername: String = "", httpAuthToken: ID, httpAuthHeader: ID, experimentalServiceHost: ID): GitRepository!
  host: Host!
  http(url: String!, name: String, permissions: Int, checksum: String, authHeader: ID, experimentalServiceHost: ID): File!
  id: ID!
  json: JSONValue!
  llm(model: String, maxAPICalls: Int): LLM!
  loadAddressFromID(id: AddressID!): Address!
  loadBindingFromID(id: BindingID!): Binding!
  loadCacheVolumeFromID(id: CacheVolumeID!): CacheVolume!
  loadChangesetFromID(id: ChangesetID!): Changeset!
  loadCheckFromID(id: CheckID!): Check!
  loadCheckGroupFromID(id: CheckGroupID!): CheckGroup!
  loadClientFilesyncMirrorFromID(id: ClientFilesyncMirrorID!): ClientFilesyncMirror!
  loadCloudFromID(id: CloudID!): Cloud!
  loadContainerFromID(id: ContainerID!): Container!
  loadCurrentModuleFromID(id: CurrentModuleID!): CurrentModule!
  loadDiffStatFromID(id: DiffStatID!): DiffStat!
  loadDirectoryFromID(id: DirectoryID!): Directory!
  loadEngineCacheEntryFromID(id: EngineCacheEntryID!): EngineCacheEntry!
  loadEngineCacheEntrySetFromID(id: EngineCacheEntrySetID!): EngineCacheEntrySet!
  loadEngineCacheFromID(id: EngineCacheID!): EngineCache!
  loadEngineFromID(id: EngineID!): Engine!
  loadEnumTypeDefFromID(id: EnumTypeDefID!): EnumTypeDef!
  loadEnumValueTypeDefFromID(id: EnumValueTypeDefID!): EnumValueTypeDef!
  loadEnvFileFromID(id: EnvFileID!): EnvFile!
  loadEnvFromID(id: EnvID!): Env!
  loadEnvVariableFromID(id: EnvVariableID!): EnvVariable!
  loadErrorFromID(id: ErrorID!): Error!
  loadErrorValueFromID(id: ErrorValueID!): ErrorValue!
  loadExportableFromID(id: ExportableID!): Exportable!
  loadFieldTypeDefFromID(id: FieldTypeDefID!): FieldTypeDef!
  loadFileFromID(id: FileID!): File!
  loadFunctionArgFromID(id: FunctionArgID!): FunctionArg!
  loadFunctionCallArgValueFromID(id: FunctionCallArgValueID!): FunctionCallArgValue!
  loadFunctionCallFromID(id: FunctionCallID!): FunctionCall!
  loadFunctionFromID(id: FunctionID!): Function!
  loadGeneratedCodeFromID(id: GeneratedCodeID!): GeneratedCode!
  loadGeneratorFromID(id: GeneratorID!): Generator!
  loadGeneratorGroupFromID(id: GeneratorGroupID!): GeneratorGroup!
  loadGitRefFromID(id: GitRefID!): GitRef!
  loadGitRepositoryFromID(id: GitRepositoryID!): GitRepository!
  loadHTTPStateFromID(id: HTTPStateID!): HTTPState!
  loadHealthcheckConfigFromID(id: HealthcheckConfigID!): HealthcheckConfig!
  loadHostFromID(id: HostID!): Host!
  loadInputTypeDefFromID(id: InputTypeDefID!): InputTypeDef!
  loadInterfaceTypeDefFromID(id: InterfaceTypeDefID!): InterfaceTypeDef!
  loadJSONValueFromID(id: JSONValueID!): JSONValue!
  loadLLMFromID(id: LLMID!): LLM!
  loadLLMTokenUsageFromID(id: LLMTokenUsageID!): LLMTokenUsage!
  loadLabelFromID(id: LabelID!): Label!
  loadListTypeDefFromID(id: ListTypeDefID!): ListTypeDef!
  loadModuleConfigClientFromID(id: ModuleConfigClientID!): ModuleConfigClient!
  loadModuleFromID(id: ModuleID!): Module!
  loadModuleSourceFromID(id: ModuleSourceID!): ModuleSource!
  loadObjectTypeDefFromID(id: ObjectTypeDefID!): ObjectTypeDef!
  loadPortFromID(id: PortID!): Port!
  loadRemoteGitMirrorFromID(id: RemoteGitMirrorID!): RemoteGitMirror!
  loadSDKConfigFromID(id: SDKConfigID!): SDKConfig
  loadScalarTypeDefFromID(id: ScalarTypeDefID!): ScalarTypeDef!
  loadSearchResultFromID(id: SearchResultID!): SearchResult!
  loadSearchSubmatchFromID(id: SearchSubmatchID!): SearchSubmatch!
  loadSecretFromID(id: SecretID!): Secret!
  loadServiceFromID(id: ServiceID!): Service!
  loadSocketFromID(id: SocketID!): Socket!
  loadSourceMapFromID(id: SourceMapID!): SourceMap!
  loadStatFromID(id: StatID!): Stat
  loadSyncerFromID(id: SyncerID!): Syncer!
  loadTerminalFromID(id: TerminalID!): Terminal!
  loadTypeDefFromID(id: TypeDefID!): TypeDef!
  loadUpFromID(id: UpID!): Up!
  loadUpGroupFromID(id: UpGroupID!): UpGroup!
  loadWorkspaceFromID(id: WorkspaceID!): Workspace!
  module: Module!
  moduleSource(refString: String!, refPin: String = "", disableFindUp: Boolean = false, allowNotExists: Boolean = false, requireKind: ModuleSourceKind): ModuleSource!
  node(id: ID!): Node
  secret(uri: String!, cacheKey: String): Secret!
  setSecret(name: String!, plaintext: String!): Secret!
  sourceMap(filename: String!, line: Int!, column: Int!): SourceMap!
  typeDef: TypeDef!
  version: String!
}
type RemoteGitMirror implements Node {
  id: ID!
}
scalar RemoteGitMirrorID
enum ReturnType {
  SUCCESS
  FAILURE
  ANY
}
type SDKConfig implements Node {
  debug: Boolean!
  id: ID!
  source: String!
}
scalar SDKConfigID
type ScalarTypeDef implements Node {
  description: String!
  id: ID!
  name: String!
  sourceModuleName: String!
}
scalar ScalarTypeDefID
type SearchResult implements Node {
  absoluteOffset: Int!
  filePath: String!
  id: ID!
  lineNumber: Int!
  matchedLines: String!
  submatches: [SearchSubmatch!]!
}
scalar SearchResultID
type SearchSubmatch implements Node {
  end: Int!
  id: ID!
  start: Int!
  text: String!
}
scalar SearchSubmatchID
type Secret implements Node {
  id: ID!
  name: String!
  plaintext: String!
  uri: String!
}
scalar SecretID
type Service implements Node & Syncer {
  endpoint(port: Int, scheme: String = ""): String!
  hostname: String!
  id: ID!
  ports: [Port!]!
  start: ID!
  stop(kill: Boolean = false): ID!
  sync: ID!
  terminal(cmd: [String!] = []): Service!
  up(ports: [PortForward!] = [], random: Boolean = false): Void
  withHostname(hostname: String!): Service!
}
scalar ServiceID
type Socket implements Node {
  id: ID!
}
scalar SocketID
type SourceMap implements Node {
  column: Int!
  filename: String!
  id: ID!
  line: Int!
  module: String!
  url: String!
}
scalar SourceMapID
type Stat implements Node {
  fileType: FileType
  id: ID!
  name: String!
  permissions: Int!
  size: Int!
}
scalar StatID
interface Syncer implements Node {
  id: ID!
  sync: ID!
}
scalar SyncerID
type Terminal implements Node & Syncer {
  id: ID!
  sync: ID!
}
scalar TerminalID
type TypeDef implements Node {
  asEnum: EnumTypeDef
  asInput: InputTypeDef
  asInterface: InterfaceTypeDef
  asList: ListTypeDef
  asObject: ObjectTypeDef
  asScalar: ScalarTypeDef
  id: ID!
  kind: TypeDefKind!
  name: String!
  optional: Boolean!
  withConstructor(function: ID!): TypeDef!
  withEnum(name: String!, description: String = "", sourceMap: ID): TypeDef!
  withEnumMember(name: String!, value: String = "", description: String = "", sourceMap: ID, deprecated: String): TypeDef!
  withEnumValue(value: String!, description: String = "", sourceMap: ID, deprecated: String): TypeDef! @deprecated
  withField(name: String!, typeDef: ID!, description: String = "", sourceMap: ID, deprecated: String): TypeDef!
  withFunction(function: ID!): TypeDef!
  withInterface(name: String!, description: String = "", sourceMap: ID): TypeDef!
  withKind(kind: TypeDefKind!): TypeDef!
  withListOf(elementType: ID!): TypeDef!
  withObject(name: String!, description: String = "", sourceMap: ID, deprecated: String): TypeDef!
  withOptional(optional: Boolean!): TypeDef!
  withScalar(name: String!, description: String = ""): TypeDef!
}
scalar TypeDefID
enum TypeDefKind {
  STRING_KIND
  INTEGER_KIND
  FLOAT_KIND
  BOOLEAN_KIND
  SCALAR_KIND
  LIST_KIND
  OBJECT_KIND
  INTERFACE_KIND
  INPUT_KIND
  VOID_KIND
  ENUM_KIND
  STRING
  INTEGER
  FLOAT
  BOOLEAN
  SCALAR
  LIST
  OBJECT
  INTERFACE
  INPUT
  VOID
  ENUM
}
type Up implements Node {
  description: String!
  id: ID!
  name: String!
  originalModule: Module!
  path: [String!]!
  run: Up!
}
type UpGroup implements Node {
  id: ID!
  list: [Up!]!
  run: UpGroup!
}
scalar UpGroupID
scalar UpID
scalar Void
type Workspace implements Node {
  address: String!
  checks(include: [String!], noGenerate: Boolean, onlyGenerate: Boolean): CheckGroup!
  clientId: String!
  configPath: String!
  directory(path: String!, exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false): Directory!
  file(path: String!): File!
  findUp(name: String!, from: String = "."): String
  generators(include: [String!]): GeneratorGroup!
  hasConfig: Boolean!
  id: ID!
  initialized: Boolean!
  path: String!
  services(include: [String!]): UpGroup!
  update: Changeset!
}
scalar WorkspaceID
type _DirectiveApplication {
  args: [_DirectiveApplicationArg!]!
  name: String!
}
type _DirectiveApplicationArg {
  name: String!
  value: String
}
`;
