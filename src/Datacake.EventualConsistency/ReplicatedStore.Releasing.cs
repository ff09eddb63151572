using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Leaving;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// The orderly departure of the store from its cluster [R22].
public sealed partial class ReplicatedStore
{
    static readonly TimeSpan ReleaseStep = TimeSpan.FromMilliseconds(100);

    int _isReleasing;

    /// <summary>
    /// Makes the store leave its cluster in an orderly way: waits until enough other members have everything that this one has, gives up its vote for serial transactions, and has itself
    /// retired. Nothing is lost by it, and no level waits for the store afterwards. It can still be read, and accepts no more writes. For a named store, use
    /// <see cref="DatacakeNodeStoreExtensions.ReleaseStoreAsync"/>, which closes it, too.
    /// </summary>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the wait. The store remains a member then.</param>
    /// <remarks>Does nothing if the store is retired already. If the process ends meanwhile, the store is a member as before, or is retired; call the method again.</remarks>
    /// <exception cref="InvalidOperationException">
    /// No other node holds the store; or the store is a follower, is being released already, or was excluded; or the node has operator keys and the options have none. Nothing was changed.
    /// </exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the key is not one that this node accepts. Nothing was changed.</exception>
    /// <exception cref="TimeoutException">The store could not leave in time. The message says why. It remains a member, and accepts writes again, at once or when the member that it has asked has answered.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing.</exception>
    public async ValueTask ReleaseAsync(ReleaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ReleaseOptions();
        options.Validate();
        ThrowIfClosing();
        if (_remote is not null)
            throw new InvalidOperationException($"{Described} follows members and is none, so there is nothing to release. Close it.");
        if (Interlocked.Exchange(ref _isReleasing, 1) != 0)
            throw new InvalidOperationException($"{Described} is being released already.");
        try
        {
            await ReleaseOnceAsync(options, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isReleasing, 0);
        }
    }

    string Described => Name.Length > 0 ? $"The store '{Name}' of node {_node.Id}" : $"The store of node {_node.Id}";

    async ValueTask ReleaseOnceAsync(ReleaseOptions options, CancellationToken cancellationToken)
    {
        long start = _node.TimeProvider.GetTimestamp();
        var departure = await RunAsync(() => new Departure(_replica, _parts.Context.Sequencer, options.RequiredOf, ProofOf(options)), cancellationToken).ConfigureAwait(false);
        if (departure.IsOver)
            return;
        try
        {
            while (!await StepAsync(departure, cancellationToken).ConfigureAwait(false))
            {
                if (_node.TimeProvider.GetElapsedTime(start) > options.Timeout)
                    throw await GiveUpAsync(departure, options).ConfigureAwait(false);
                await Task.Delay(ReleaseStep, _node.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not TimeoutException)
        {
            if (!_isClosing)
                await StayAsync(departure).ConfigureAwait(false);
            throw;
        }
        StoreLog.Released(_parts.Context.Logger, _node.Id, options.RequiredOf(Members.Count(member => member.NodeId != _node.Id)));
    }

    /// <summary>Does a step of a departure. Returns true if the store has left.</summary>
    async ValueTask<bool> StepAsync(Departure departure, CancellationToken cancellationToken)
    {
        try
        {
            return await _loop.RunInReserveAsync(
                (batch, _) =>
                {
                    departure.Step(batch);
                    return ValueTask.FromResult(departure.IsOver);
                }, cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            // The batch may have been another caller's, and the next step may succeed.
            return false;
        }
    }

    async ValueTask<TimeoutException> GiveUpAsync(Departure departure, ReleaseOptions options)
    {
        bool mayYetLeave = await StayAsync(departure).ConfigureAwait(false);
        return new TimeoutException(
            $"{Described} could not be released within {options.Timeout.TotalSeconds:0.###} s: {departure.Obstacle}. It remains a member, and accepts writes again"
                + (mayYetLeave ? " as soon as the member that was asked to let it go has answered; until then, it may yet leave. " : ". ")
                + "Start the missing nodes, or retry with a longer timeout.");
    }

    /// <summary>Gives up the departure. Returns true if the store may yet leave.</summary>
    async ValueTask<bool> StayAsync(Departure departure)
    {
        try
        {
            return await RunAsync(
                () =>
                {
                    departure.Cancel();
                    return _replica.IsLeaving;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            // The departure is given up, although the batch could not be committed.
            return _replica.IsLeaving;
        }
    }

    /// <summary>Checks that the store may leave, and returns the operator's proof for it. Called on the commit loop.</summary>
    ReadOnlyMemory<byte> ProofOf(ReleaseOptions options)
    {
        if (_replica.Exclusion is { Kind: RefusalKind.Retired })
            return default;
        if (_replica.Exclusion is { } exclusion)
            throw new InvalidOperationException($"{Described} cannot be released, because it is no longer part of its cluster: {exclusion.Reason}. Close it.");
        if (!_replica.IsJoined)
            throw new InvalidOperationException($"{Described} has not joined its cluster, so there is nothing to release. Close it.");
        // One of which gossip knows may just be joining.
        if (!_replica.OtherMembers.Any() && _parts.Context.Host.Members.All(member => member.NodeId == _node.Id))
        {
            throw new InvalidOperationException(
                $"{Described} cannot be released, because no other node holds it: its data would be gone. Nothing was changed. Let another node hold it first. To give the data up, close the store for good.");
        }
        if (!_replica.NeedsProofToLeave)
        {
            return options.OperatorKey is null ? default(ReadOnlyMemory<byte>) : throw new ArgumentException(
                $"{nameof(ReleaseOptions)}.{nameof(ReleaseOptions.OperatorKey)} is set, but this node has no operator keys that could confirm it. Leave it out.");
        }
        if (options.OperatorKey is not { } key)
        {
            throw new InvalidOperationException(
                $"{Described} cannot be released without an operator's private key, because the node has operator keys. Set {nameof(ReleaseOptions)}.{nameof(ReleaseOptions.OperatorKey)}.");
        }
        byte[] proof = OperatorKeys.Sign(key, _replica.Identity.Cluster, _replica.Identity.StoreId);
        _replica.CheckProofToLeave(proof);
        return proof;
    }

    ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken) => _loop.RunInReserveAsync((_, _) => ValueTask.FromResult(work()), cancellationToken);
}
