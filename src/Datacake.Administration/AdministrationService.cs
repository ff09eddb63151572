using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Datacake.Administration.Contracts;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Administration;

/// <summary>
/// The administration of a node as a service on its port. Messages are JSON. What only reads is open to everyone who may connect, since the cluster
/// secret allows more than that. What changes something is a command, and needs a proof of the operator secret.
/// </summary>
sealed class AdministrationService : RpcService
{
    public const string ServiceName = "datacake.administration";

    /// <summary>The messages that read.</summary>
    public const string Status = "status", Keyspaces = "keyspaces", Documents = "documents", Document = "document", Log = "log", Verify = "verify",
        Challenge = "challenge", CheckBackup = "check-backup", Export = "export", Watch = "watch", Fingerprints = "fingerprints";

    /// <summary>The commands.</summary>
    public const string Put = "put", Delete = "delete", DropKeyspace = "drop-keyspace", Retire = "retire", Forget = "forget", AllowRemoval = "allow-removal",
        RecoverSerial = "recover-serial", BackUp = "backup", Compact = "compact", Import = "import", Check = "check";

    /// <summary>The headers of a command.</summary>
    public const string OperatorHeader = "operator", ChallengeHeader = "challenge", ProofHeader = "proof";

    /// <summary>The header of a stream with its arguments, as JSON.</summary>
    public const string ArgumentsHeader = "arguments";

    readonly NodeAdministration _administration;
    readonly DatacakeNode _node;
    readonly ILogger _logger;
    readonly byte[]? _key;
    readonly OperatorChallenges _challenges;

    public AdministrationService(NodeAdministration administration, string? operatorSecret, DatacakeNode node)
    {
        _administration = administration;
        _node = node;
        _logger = node.LoggerFactory.CreateLogger<NodeAdministration>();
        _key = operatorSecret is null ? null : OperatorProof.DeriveKey(operatorSecret);
        _challenges = new OperatorChallenges(node.TimeProvider);
    }

    public override string Name => ServiceName;

    protected override void Register(RpcHandlers handlers)
    {
        Read(handlers, Status, AdministrationJson.Default.NodeStatus, (asked, token) => _administration.GetStatusAsync(NameOf(asked), asked.ListStores, token));
        Read(handlers, Keyspaces, AdministrationJson.Default.IReadOnlyListKeyspaceStatus, (asked, token) => Of(asked).ListKeyspacesAsync(token));
        Read(handlers, Documents, AdministrationJson.Default.DocumentList, (asked, token) =>
            Of(asked).ListDocumentsAsync(Required(asked.Keyspace, "keyspace"), asked.After, asked.Count ?? 100, asked.IsPlain, token));
        Read(handlers, Document, AdministrationJson.Default.DocumentDetail!, (asked, token) =>
            Of(asked).GetDocumentAsync(Required(asked.Keyspace, "keyspace"), Required(asked.Key, "key"), asked.IsPlain, token));
        Read(handlers, Log, AdministrationJson.Default.IReadOnlyListLogLine, (asked, _) => ValueTask.FromResult(
            _administration.ReadLog(asked.Count ?? 100, Enum.TryParse<LogLevel>(asked.Level, ignoreCase: true, out var level) ? level : LogLevel.Information, Of(asked).Name)));
        Read(handlers, Verify, AdministrationJson.Default.StoreVerification, (asked, token) => StoreOf(asked).VerifyAsync(token));
        Read(handlers, CheckBackup, AdministrationJson.Default.BackupCheck, (asked, token) =>
            _administration.CheckBackupAsync(NodeIdOf(asked), Required(asked.StoreId, "store"), Required(asked.ClusterId, "cluster"), token));
        handlers.HandleBytes(Challenge, (_, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(_challenges.Next()));

        Command(handlers, Put, (asked, token) =>
            Of(asked).PutAsync(Required(asked.Keyspace, "keyspace"), Required(asked.Key, "key"), Required(asked.Document, "document"), token));
        Command(handlers, Delete, (asked, token) => Of(asked).DeleteAsync(Required(asked.Keyspace, "keyspace"), Required(asked.Key, "key"), token));
        Command(handlers, DropKeyspace, async (asked, token) =>
        {
            string keyspace = Required(asked.Keyspace, "keyspace");
            long count = await StoreOf(asked).DropKeyspaceAsync(keyspace, cancellationToken: token).ConfigureAwait(false);
            return new CommandResult($"The keyspace {keyspace}{In(asked)} was dropped, with {count} documents.", count);
        });
        Command(handlers, Retire, async (asked, token) =>
        {
            byte nodeId = NodeIdOf(asked);
            await StoreOf(asked).RetireAsync(nodeId, mayRun: asked.IsRunning, token).ConfigureAwait(false);
            return new CommandResult($"Node {nodeId} was retired{From(asked)}. Its store never becomes part of the cluster again.");
        });
        Command(handlers, Forget, async (asked, token) =>
        {
            byte nodeId = NodeIdOf(asked);
            await StoreOf(asked).ForgetAsync(nodeId, token).ConfigureAwait(false);
            return new CommandResult($"Node {nodeId} was forgotten{From(asked)}. When it returns, it is compared with this node as a whole.");
        });
        Command(handlers, AllowRemoval, async (asked, token) =>
        {
            var store = StoreOf(asked);
            var held = store.HeldRemoval;
            await store.AllowRemovalAsync(token).ConfigureAwait(false);
            return held is null
                ? new CommandResult("No removal was held back.")
                : new CommandResult($"The removal of {held.Documents} documents that node {held.NodeId} does not have was allowed.", held.Documents);
        });
        Command(handlers, RecoverSerial, async (asked, token) =>
        {
            await StoreOf(asked).RecoverSerialAsync(token).ConfigureAwait(false);
            return new CommandResult($"Node {_node.Id} is the only voter of the serial transactions{In(asked)} now. The other members become voters by themselves.");
        });
        Command(handlers, BackUp, (asked, token) => Of(asked).BackUpAsync(Required(asked.Path, "path"), asked.Keep, asked.Verify, token));
        Command(handlers, Compact, (asked, token) => Of(asked).CompactAsync(token));
        Command(handlers, Check, (_, _) => ValueTask.FromResult(new CommandResult($"Node {_node.Id} accepts the operator secret.")));

        handlers.HandleStream(Export, (stream, token) => GuardAsync(() => Run(stream, (store, asked) => new DocumentExport(store, stream, asked).RunAsync(token))));
        handlers.HandleStream(Watch, (stream, token) => GuardAsync(() => Run(stream, (store, asked) => new DocumentFeed(store, stream, asked).RunAsync(token))));
        handlers.HandleStream(Fingerprints, (stream, token) => GuardAsync(() => Run(stream, (store, asked) => new FingerprintExport(store, stream, asked).RunAsync(token))));
        handlers.HandleStream(Import, async (stream, token) =>
        {
            string arguments = stream.Headers[ArgumentsHeader] ?? "";
            string name = Authorize(stream.Headers, stream.RemoteAddress, Import, Encoding.UTF8.GetBytes(arguments));
            await RunAsync(name, stream.RemoteAddress, Import, arguments, () =>
                GuardAsync(() => Run(stream, (store, asked) => new DocumentImport(store, stream, asked).RunAsync(token)))).ConfigureAwait(false);
        });
    }

    StoreAdministration Of(AdministrationRequest asked) => _administration.OfStore(NameOf(asked));

    static string NameOf(AdministrationRequest asked) => asked.Store is { Length: 0 }
        ? throw new RpcException(RpcStatus.InvalidPayload, "The name of the store is empty. Pass the name of a store, or none for the node's own store.")
        : asked.Store ?? "";

    ReplicatedStore StoreOf(AdministrationRequest asked) => Of(asked).Store;

    Task Run(RpcStream stream, Func<ReplicatedStore, AdministrationRequest, Task> transfer)
    {
        var asked = ArgumentsOf(stream);
        return transfer(StoreOf(asked), asked);
    }

    /// <summary>Returns the part of a sentence that names the store.</summary>
    static string In(AdministrationRequest asked) => asked.Store is { Length: > 0 } name ? $" of the store '{name}'" : "";

    static string From(AdministrationRequest asked) => asked.Store is { Length: > 0 } name ? $" in the store '{name}'" : "";

    static T Required<T>(T? value, string name)
        where T : class => value ?? throw new RpcException(RpcStatus.InvalidPayload, $"The call needs a {name}.");

    static JsonElement Required(JsonElement? value, string name) => value ?? throw new RpcException(RpcStatus.InvalidPayload, $"The call needs a {name}.");

    static byte NodeIdOf(AdministrationRequest asked) => asked.NodeId is >= 0 and <= byte.MaxValue
        ? (byte)asked.NodeId
        : throw new RpcException(RpcStatus.InvalidPayload, "The call needs the id of a node, from 0 to 255.");

    static AdministrationRequest ArgumentsOf(RpcStream stream) => Parse(Encoding.UTF8.GetBytes(stream.Headers[ArgumentsHeader] ?? "{}"));

    static AdministrationRequest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return json.IsEmpty ? new() : JsonSerializer.Deserialize(json, AdministrationJson.Default.AdministrationRequest) ?? new();
        }
        catch (JsonException e)
        {
            throw new RpcException(RpcStatus.InvalidPayload, $"The arguments are not valid: {e.Message}", e);
        }
    }

    /// <summary>Turns the errors that tell a caller what to do into statuses, so that the log of the server is not filled with them.</summary>
    static async Task<TResult> GuardAsync<TResult>(Func<ValueTask<TResult>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException or StorageException or ConsistencyException
            or NotEnoughNodesException or TransactionLimitException or StoreExcludedException or CounterBoundException)
        {
            // The name of a parameter means nothing to an operator.
            throw new RpcException(RpcStatus.InvalidPayload, e.Message.Split(" (Parameter '")[0], e);
        }
    }

    static Task<bool> GuardAsync(Func<Task> action) => GuardAsync(async () =>
    {
        await action().ConfigureAwait(false);
        return true;
    });

    static void Read<TResult>(
        RpcHandlers handlers, string message, JsonTypeInfo<TResult> type, Func<AdministrationRequest, CancellationToken, ValueTask<TResult>> read) =>
        handlers.HandleBytes(message, async (request, token) =>
        {
            var asked = Parse(request.Payload.Span);
            return JsonSerializer.SerializeToUtf8Bytes(await GuardAsync(() => read(asked, token)).ConfigureAwait(false), type);
        });

    void Command(RpcHandlers handlers, string message, Func<AdministrationRequest, CancellationToken, ValueTask<CommandResult>> execute) =>
        handlers.HandleBytes(message, async (request, token) =>
        {
            byte[] payload = request.Payload.ToArray();
            string name = Authorize(request.Headers, request.RemoteAddress, message, payload);
            var asked = Parse(payload);
            var result = await RunAsync(name, request.RemoteAddress, message, Encoding.UTF8.GetString(payload), () => GuardAsync(() => execute(asked, token)))
                .ConfigureAwait(false);
            return JsonSerializer.SerializeToUtf8Bytes(result with { Store = NameOf(asked) }, AdministrationJson.Default.CommandResult);
        });

    async Task<TResult> RunAsync<TResult>(string name, string address, string command, string arguments, Func<Task<TResult>> execute)
    {
        AdministrationLog.Called(_logger, name, address, command, arguments.Length <= 500 ? arguments : arguments[..500] + "…");
        try
        {
            return await execute().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            AdministrationLog.Failed(_logger, command, name, address, e);
            throw;
        }
    }

    /// <summary>Checks the proof of a command, and returns the name of the operator.</summary>
    string Authorize(RpcHeaders headers, string address, string command, ReadOnlySpan<byte> payload)
    {
        string name = headers[OperatorHeader] is { Length: > 0 } given ? Clean(given) : "(unnamed)";
        if (_key is null)
        {
            throw Refuse($"Node {_node.Id} has no operator secret, so nothing can be changed from outside its process. Set Administration:OperatorSecretFile in the configuration "
                + "of the node, or AdministrationOptions.OperatorSecret.");
        }
        if (headers[ChallengeHeader] is not { } challengeText || headers[ProofHeader] is not { } proofText)
            throw Refuse("The command has no proof of the operator secret. Pass the secret to the client (--operator-secret-file).");
        Span<byte> challenge = stackalloc byte[OperatorProof.ChallengeLength], proof = stackalloc byte[32];
        if (Convert.FromHexString(challengeText, challenge, out _, out int challengeLength) != OperationStatus.Done || challengeLength != challenge.Length
            || Convert.FromHexString(proofText, proof, out _, out int proofLength) != OperationStatus.Done || proofLength != proof.Length
            || !_challenges.Take(challenge))
        {
            throw Refuse("The command came more than a minute after it was begun, or a second time. Repeat it.");
        }
        if (!OperatorProof.AreEqual(proof, OperatorProof.Compute(_key, challenge, command, payload)))
            throw Refuse($"The operator secret is wrong: it differs from that of node {_node.Id}. Pass that of the node (--operator-secret-file).");
        return name;

        RpcException Refuse(string reason)
        {
            AdministrationLog.Refused(_logger, command, name, address, reason);
            return new RpcException(RpcStatus.Unauthenticated, reason);
        }
    }

    /// <summary>Returns a name without line breaks and other control characters, which would forge lines of the log.</summary>
    static string Clean(string name) => string.Concat(name.Where(static c => !char.IsControl(c)).Take(100));
}
