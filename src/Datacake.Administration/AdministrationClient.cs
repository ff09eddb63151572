using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Datacake.Administration.Contracts;
using Datacake.EventualConsistency;
using Datacake.Rpc;
using Microsoft.Extensions.Logging;

namespace Datacake.Administration;

/// <summary>A client of the administration of one node. Thread-safe.</summary>
public sealed class AdministrationClient
{
    static readonly TimeSpan NoLimit = System.Threading.Timeout.InfiniteTimeSpan;

    readonly RpcChannel _channel;
    readonly AdministrationClientOptions _options;
    readonly Lazy<byte[]>? _key;

    volatile bool _hasStore;        // true once the node has answered for the store

    /// <summary>Creates a client.</summary>
    /// <param name="channel">The channel to the node, which the client does not dispose.</param>
    /// <param name="configure">A callback that changes the settings, or null.</param>
    /// <exception cref="ArgumentException">The name of the store is empty.</exception>
    public AdministrationClient(RpcChannel channel, Action<AdministrationClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(channel);
        _channel = channel;
        _options = new AdministrationClientOptions();
        configure?.Invoke(_options);
        // A name that somebody forgot to set must not become a drop of the node's own data.
        if (_options.Store is { Length: 0 })
            throw new ArgumentException("The name of the store is empty. Set Store to the name of a store, or to null for the node's own store.", nameof(configure));
        if (_options.OperatorSecret is { } secret)
            _key = new Lazy<byte[]>(() => OperatorProof.DeriveKey(secret));
    }

    /// <summary>Returns the state of the node.</summary>
    /// <exception cref="AdministrationException">The node cannot be reached, or has no administration.</exception>
    public Task<NodeStatus> GetStatusAsync(CancellationToken cancellationToken = default) => GetStatusAsync(listStores: false, cancellationToken);

    /// <inheritdoc cref="GetStatusAsync(CancellationToken)"/>
    /// <param name="listStores">True to add an overview of all stores that the node has open, which costs it a read of each.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    public async Task<NodeStatus> GetStatusAsync(bool listStores, CancellationToken cancellationToken = default)
    {
        var status = await CallAsync(AdministrationService.Status, new() { ListStores = listStores }, AdministrationJson.Default.NodeStatus, _options.Timeout, cancellationToken).ConfigureAwait(false);
        if (_options.Store is { } store && status.Store != store)
        {
            throw new AdministrationException(
                $"Node {status.NodeId} at {_channel.Address} runs version {status.Version}, which knows no named stores: it would use its own store in place of '{store}'. Nothing was done. Update the node.");
        }
        _hasStore = true;
        return status;
    }

    /// <summary>Returns the state of all keyspaces of the node.</summary>
    /// <exception cref="AdministrationException">The call has failed.</exception>
    public Task<IReadOnlyList<KeyspaceStatus>> ListKeyspacesAsync(CancellationToken cancellationToken = default) =>
        ReadAsync(AdministrationService.Keyspaces, new(), AdministrationJson.Default.IReadOnlyListKeyspaceStatus, _options.Timeout, cancellationToken);

    /// <summary>Returns documents of a keyspace, in the order of their keys.</summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="after">The key after which the list begins, from <see cref="DocumentList.Next"/>; null for the start.</param>
    /// <param name="count">The maximum number of documents, at most 1,000.</param>
    /// <param name="isPlain">True if values are to be readable; false if they are to be exact.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <exception cref="AdministrationException">The call has failed.</exception>
    public Task<DocumentList> ListDocumentsAsync(
        string keyspace, JsonElement? after = null, int count = 100, bool isPlain = true, CancellationToken cancellationToken = default) => ReadAsync(
            AdministrationService.Documents, new() { Keyspace = keyspace, After = after, Count = count, IsPlain = isPlain }, AdministrationJson.Default.DocumentList,
            _options.Timeout, cancellationToken);

    /// <summary>Returns a document with the writer of each of its values, or null if the node has nothing with the key.</summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="key">The key: a value, or an array of the values of a composite key.</param>
    /// <param name="isPlain">True if values are to be readable; false if they are to be exact.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <exception cref="AdministrationException">The call has failed.</exception>
    public Task<DocumentDetail?> GetDocumentAsync(string keyspace, JsonElement key, bool isPlain = true, CancellationToken cancellationToken = default) => ReadAsync(
        AdministrationService.Document, new() { Keyspace = keyspace, Key = key, IsPlain = isPlain }, AdministrationJson.Default.DocumentDetail!, _options.Timeout,
        cancellationToken)!;

    /// <summary>Returns the newest log lines of the node, the oldest of them first.</summary>
    /// <exception cref="AdministrationException">The call has failed.</exception>
    public Task<IReadOnlyList<LogLine>> ReadLogAsync(int count = 100, LogLevel level = LogLevel.Information, CancellationToken cancellationToken = default) => ReadAsync(
        AdministrationService.Log, new() { Count = count, Level = level.ToString() }, AdministrationJson.Default.IReadOnlyListLogLine, _options.Timeout, cancellationToken);

    /// <summary>Reads the whole store of the node, checks it, and starts the repair of what is damaged.</summary>
    /// <exception cref="AdministrationException">The call has failed.</exception>
    public Task<StoreVerification> VerifyAsync(CancellationToken cancellationToken = default) =>
        ReadAsync(AdministrationService.Verify, new(), AdministrationJson.Default.StoreVerification, NoLimit, cancellationToken);

    /// <summary>Checks that the node accepts the operator secret. Nothing is changed.</summary>
    /// <exception cref="AdministrationException">The operator secret is wrong or missing, or the node has none.</exception>
    public Task<CommandResult> CheckOperatorAsync(CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.Check, new(), _options.Timeout, cancellationToken);

    /// <summary>Puts a document. What <paramref name="document"/> does not name is removed.</summary>
    /// <exception cref="AdministrationException">The document cannot be stored, or the operator secret is wrong.</exception>
    public Task<CommandResult> PutAsync(string keyspace, JsonElement key, JsonElement document, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.Put, new() { Keyspace = keyspace, Key = key, Document = document }, _options.Timeout, cancellationToken);

    /// <summary>Deletes a document. It need not exist.</summary>
    /// <exception cref="AdministrationException">The operator secret is wrong, or the level was not satisfied.</exception>
    public Task<CommandResult> DeleteAsync(string keyspace, JsonElement key, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.Delete, new() { Keyspace = keyspace, Key = key }, _options.Timeout, cancellationToken);

    /// <summary>Removes all documents of a keyspace.</summary>
    /// <exception cref="AdministrationException">The operator secret is wrong, or the level was not satisfied.</exception>
    public Task<CommandResult> DropKeyspaceAsync(string keyspace, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.DropKeyspace, new() { Keyspace = keyspace }, NoLimit, cancellationToken);

    /// <summary>
    /// Retires a node that never comes back, so that it counts no longer. See <see cref="ReplicatedStore.RetireAsync(byte, CancellationToken)"/>.
    /// </summary>
    /// <exception cref="AdministrationException">The node is running or cannot be retired, or the operator secret is wrong.</exception>
    public Task<CommandResult> RetireAsync(byte nodeId, CancellationToken cancellationToken = default) => RetireAsync(nodeId, isRunning: false, cancellationToken);

    /// <inheritdoc cref="RetireAsync(byte, CancellationToken)"/>
    /// <param name="nodeId">The id of the node.</param>
    /// <param name="isRunning">True if the node is meant although it is running; false to refuse that.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    public Task<CommandResult> RetireAsync(byte nodeId, bool isRunning, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.Retire, new() { NodeId = nodeId, IsRunning = isRunning }, _options.Timeout, cancellationToken);

    /// <summary>Forgets a node that is away for long. See <see cref="ReplicatedStore.ForgetAsync"/>.</summary>
    /// <exception cref="AdministrationException">The node cannot be forgotten, or the operator secret is wrong.</exception>
    public Task<CommandResult> ForgetAsync(byte nodeId, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.Forget, new() { NodeId = nodeId }, _options.Timeout, cancellationToken);

    /// <summary>Allows a removal that is held back. See <see cref="ReplicatedStore.AllowRemovalAsync"/>.</summary>
    /// <exception cref="AdministrationException">The operator secret is wrong.</exception>
    public Task<CommandResult> AllowRemovalAsync(CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.AllowRemoval, new(), _options.Timeout, cancellationToken);

    /// <summary>Begins the serial transactions anew at a node. See <see cref="ReplicatedStore.RecoverSerialAsync"/>.</summary>
    /// <exception cref="AdministrationException">The voters are not lost, or another member has more than this node, or the operator secret is wrong.</exception>
    public Task<CommandResult> RecoverSerialAsync(CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.RecoverSerial, new(), _options.Timeout, cancellationToken);

    /// <summary>Copies the store of the node to a path on the node's machine, at which nothing may exist.</summary>
    /// <exception cref="AdministrationException">The copy cannot be written, or the operator secret is wrong.</exception>
    public Task<CommandResult> BackUpAsync(string path, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.BackUp, new() { Path = path }, NoLimit, cancellationToken);

    /// <summary>
    /// Copies the store of the node to a path on the node's machine. If that is a folder, the copy gets a name with the time, the node and the cluster.
    /// </summary>
    /// <param name="path">A path at which nothing exists, or a folder that exists.</param>
    /// <param name="verify">True if the copy is read as a whole and verified before it gets its name.</param>
    /// <param name="keep">The number of the newest backups of the node to keep in the folder, at least 1; null to delete none.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <exception cref="AdministrationException">The copy cannot be written or is damaged, or the operator secret is wrong. No older backup was deleted.</exception>
    public Task<CommandResult> BackUpAsync(string path, bool verify, int? keep, CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.BackUp, new() { Path = path, Verify = verify, Keep = keep }, NoLimit, cancellationToken);

    /// <summary>Returns free space of the node's store to its disk.</summary>
    /// <exception cref="AdministrationException">The disk has too little room, or the operator secret is wrong.</exception>
    public Task<CommandResult> CompactAsync(CancellationToken cancellationToken = default) =>
        CommandAsync(AdministrationService.Compact, new(), NoLimit, cancellationToken);

    /// <summary>
    /// Reads all documents of a keyspace as JSON Lines: UTF-8, whole lines in each block. A block is valid until the next one is asked for.
    /// </summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="after">The key after which to begin; null for the start.</param>
    /// <param name="isPlain">True if values are to be readable; false if they are to be exact, so that they can be imported again.</param>
    /// <param name="cancellationToken">A token that ends the reading.</param>
    /// <exception cref="AdministrationException">The keyspace cannot be read.</exception>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ExportAsync(
        string keyspace, JsonElement? after = null, bool isPlain = false, CancellationToken cancellationToken = default) =>
        StreamAsync(AdministrationService.Export, new() { Keyspace = keyspace, After = after, IsPlain = isPlain }, cancellationToken);

    /// <summary>
    /// Watches the changes of a keyspace, each as a line of JSON, until the token is canceled. A line is valid until the next one is asked for.
    /// </summary>
    /// <exception cref="AdministrationException">The keyspace cannot be watched.</exception>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> WatchAsync(string keyspace, CancellationToken cancellationToken = default) =>
        StreamAsync(AdministrationService.Watch, new() { Keyspace = keyspace, IsPlain = true }, cancellationToken);

    /// <summary>Puts the documents of JSON Lines, as <see cref="ExportAsync"/> returns them.</summary>
    /// <param name="keyspace">The name of the keyspace.</param>
    /// <param name="blocks">Blocks of whole lines. Each is one transaction; about 100 KB are a good size.</param>
    /// <param name="level">The consistency level of the transactions.</param>
    /// <param name="linesBefore">The number of lines before the first one, for messages about a line. A line with a property <c>line</c> has that number.</param>
    /// <param name="cancellationToken">A token that ends the import. What was acknowledged is stored.</param>
    /// <returns>The number of documents of each block, in the order of the blocks, when it is stored.</returns>
    /// <exception cref="AdministrationException">A line cannot be imported; the message names it. What was acknowledged is stored.</exception>
    public async IAsyncEnumerable<int> ImportAsync(
        string keyspace, IAsyncEnumerable<ReadOnlyMemory<byte>> blocks, Consistency level = Consistency.Quorum, long linesBefore = 0,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        byte[] arguments = Encode(new() { Keyspace = keyspace, Level = level.ToString(), LinesBefore = linesBefore });
        var headers = (await AuthorizeAsync(AdministrationService.Import, arguments, cancellationToken).ConfigureAwait(false))
            .With(AdministrationService.ArgumentsHeader, Encoding.UTF8.GetString(arguments));
        var stream = await OpenAsync(AdministrationService.Import, headers, cancellationToken).ConfigureAwait(false);
        await using var disposal = stream.ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync();
        try
        {
            while (await GuardAsync(() => stream.ReadAsync(cancellationToken)).ConfigureAwait(false) is { } answer)
            {
                int count;
                using (answer)
                    count = BinaryPrimitives.ReadInt32LittleEndian(answer.Span);
                yield return count;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        // The node has acknowledged all blocks that it received. If they could not be read or sent, the caller learns of it.
        await GuardAsync(() => new ValueTask<bool>(sending)).ConfigureAwait(false);

        async Task<bool> SendAsync()
        {
            try
            {
                await foreach (var block in blocks.WithCancellation(stop.Token).ConfigureAwait(false))
                    await stream.WriteAsync(block, stop.Token).ConfigureAwait(false);
            }
            finally
            {
                // Also if a block cannot be read: otherwise the node would wait for it, and the caller for the node.
                await stream.CompleteAsync(stop.Token).ConfigureAwait(false);
            }
            return true;
        }
    }

    /// <summary>Asks the node whether the store of a backup is still that of its node.</summary>
    internal Task<BackupCheck> CheckBackupAsync(byte nodeId, string storeId, string clusterId, CancellationToken cancellationToken = default) => ReadAsync(
        AdministrationService.CheckBackup, new() { NodeId = nodeId, StoreId = storeId, ClusterId = clusterId }, AdministrationJson.Default.BackupCheck, _options.Timeout, cancellationToken);

    /// <summary>Reads the key and a hash of every document of a keyspace, in the order of the keys.</summary>
    internal async IAsyncEnumerable<(string Key, string Hash)> ReadFingerprintsAsync(string keyspace, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var block in StreamAsync(AdministrationService.Fingerprints, new() { Keyspace = keyspace }, cancellationToken).ConfigureAwait(false))
        {
            foreach (string line in Encoding.ASCII.GetString(block.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                yield return (line[..^17], line[^16..]);
        }
    }

    async IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(
        string message, AdministrationRequest arguments, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await CheckStoreAsync(cancellationToken).ConfigureAwait(false);
        var headers = RpcHeaders.Empty.With(AdministrationService.ArgumentsHeader, Encoding.UTF8.GetString(Encode(arguments)));
        var stream = await OpenAsync(message, headers, cancellationToken).ConfigureAwait(false);
        await using var disposal = stream.ConfigureAwait(false);
        while (await GuardAsync(() => stream.ReadAsync(cancellationToken)).ConfigureAwait(false) is { } block)
        {
            using (block)
                yield return block.Memory;
        }
    }

    ValueTask<RpcStream> OpenAsync(string message, RpcHeaders headers, CancellationToken cancellationToken) => GuardAsync(() => _channel.OpenStreamAsync(
        AdministrationService.ServiceName, message, new RpcCallOptions { Headers = headers, Timeout = NoLimit }, cancellationToken));

    /// <summary>Checks once that the node has the store. One that knows no named stores would use its own store without a word.</summary>
    async ValueTask CheckStoreAsync(CancellationToken cancellationToken)
    {
        if (_options.Store is not null && !_hasStore)
            await GetStatusAsync(cancellationToken).ConfigureAwait(false);
    }

    async Task<TResult> ReadAsync<TResult>(
        string message, AdministrationRequest arguments, JsonTypeInfo<TResult> type, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await CheckStoreAsync(cancellationToken).ConfigureAwait(false);
        return await CallAsync(message, arguments, type, timeout, cancellationToken).ConfigureAwait(false);
    }

    async Task<TResult> CallAsync<TResult>(
        string message, AdministrationRequest arguments, JsonTypeInfo<TResult> type, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var reply = await GuardAsync(() => _channel.CallAsync(
            AdministrationService.ServiceName, message, Encode(arguments), new RpcCallOptions { Timeout = timeout }, cancellationToken)).ConfigureAwait(false);
        return JsonSerializer.Deserialize(reply.Span, type)!;
    }

    async Task<CommandResult> CommandAsync(string message, AdministrationRequest arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        byte[] payload = Encode(arguments);
        var headers = await AuthorizeAsync(message, payload, cancellationToken).ConfigureAwait(false);
        using var reply = await GuardAsync(() => _channel.CallAsync(
            AdministrationService.ServiceName, message, payload, new RpcCallOptions { Timeout = timeout, Headers = headers }, cancellationToken)).ConfigureAwait(false);
        return JsonSerializer.Deserialize(reply.Span, AdministrationJson.Default.CommandResult)!;
    }

    async Task<RpcHeaders> AuthorizeAsync(string message, byte[] payload, CancellationToken cancellationToken)
    {
        await CheckStoreAsync(cancellationToken).ConfigureAwait(false);
        var headers = RpcHeaders.Empty.With(AdministrationService.OperatorHeader, _options.OperatorName);
        if (_key is null)
            return headers;
        using var challenge = await GuardAsync(() => _channel.CallAsync(
            AdministrationService.ServiceName, AdministrationService.Challenge, default, new RpcCallOptions { Timeout = _options.Timeout }, cancellationToken)).ConfigureAwait(false);
        byte[] proof = OperatorProof.Compute(_key.Value, challenge.Span, message, payload);
        return headers.With(AdministrationService.ChallengeHeader, Convert.ToHexString(challenge.Span))
            .With(AdministrationService.ProofHeader, Convert.ToHexString(proof));
    }

    byte[] Encode(AdministrationRequest arguments) => JsonSerializer.SerializeToUtf8Bytes(arguments with { Store = _options.Store }, AdministrationJson.Default.AdministrationRequest);

    async ValueTask<TResult> GuardAsync<TResult>(Func<ValueTask<TResult>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException e) when (e.Status == RpcStatus.UnknownService)
        {
            throw new AdministrationException(
                $"The node at {_channel.Address} runs, but its administration is not open. If it has just started, retry in a few seconds. If this stays so, its application does not open the "
                    + "administration: AddDatacake does, and so does OpenAdministrationAsync.", e);
        }
        catch (RpcException e) when (e.Status != RpcStatus.Canceled)
        {
            throw new AdministrationException(e.Message, e);
        }
    }
}
