using Datacake.Crdt;
using Datacake.EventualConsistency.Following;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;
using Datacake.Storage;

namespace Datacake.Simulation.Worlds;

// Followers: what the members and the followers do, and the invariants of a follower [R21].
sealed partial class World
{
    readonly Dictionary<(Machine Source, string Keyspaces), SimulatedFeed> _feeds = [];

    /// <summary>Executes one of the activities of a follower, or of a member for it.</summary>
    void Follow(int chance)
    {
        if (_followers.Length == 0)
            return;
        var follower = _followers[chance % _followers.Length];
        int choice = chance / 8 % 24, number = chance / 256;
        if (!follower.Machine.IsUp)
        {
            if (choice < 12)
                StartFollower(follower);
            return;
        }
        if (follower.Stream is { } stream && stream.Source.Replica?.Boot != stream.Boot)
            BreakFollower(follower);
        switch (choice)
        {
            case 0:
                BreakFollower(follower);
                break;
            case 1:
                StopFollower(follower, losesPower: number % 2 == 0, number / 2);
                break;
            case 2:
                follower.Machine.Disk.IsFailing = true;
                follower.Machine.Disk.FailsLate = number % 3 == 0;
                break;
            case 3:
                follower.Machine.Disk.Flush();
                break;
            case 4 or 5:
                TickFollower(follower);
                break;
            case 6 or 7:
                if (follower.Stream is { } fed)
                    StepFeed(FeedOf(fed.Source, follower), fed.Source, follower);
                break;
            case 8 or 9:
                if (follower.Stream is { } said)
                    Say(follower, said);
                break;
            case < 14:
                ServeFollower(follower);
                break;
            default:
                if (follower.Stream is null)
                    ConnectFollower(follower, number);
                for (int i = number % 4; i >= 0; i--)
                    DeliverToFollower(follower);
                break;
        }
    }

    void StartFollower(SimulatedFollower follower)
    {
        try
        {
            follower.Machine.Start(++_lastId, follower.Committed.Add, static (_, _) => { });
            CheckFollower(follower);
        }
        catch (StorageException)
        {
            _statistics.Count("failed starts");
        }
    }

    void StopFollower(SimulatedFollower follower, bool losesPower, int chance)
    {
        follower.Machine.Stop();
        (follower.Stream, follower.Copied, follower.Arriving, follower.Offered) = (null, Holdings.None, Holdings.None, Holdings.None);
        int lost = losesPower ? chance % (follower.Machine.Disk.UnflushedCount + 1) : 0;
        if (lost == 0)
            return;
        follower.Machine.Held = follower.Machine.Disk.LosePower(lost);
        _statistics.Count("lost tails of followers");
        follower.Machine.Ideal = Machine.Fresh(_scenario);
        _history.MergeInto(follower.Machine.Ideal, follower.Machine.Held);
    }

    /// <summary>Commits a piece of work at a follower.</summary>
    void CommitAtFollower(SimulatedFollower follower, Func<ReplicaBatch, ValueTask> work)
    {
        var machine = follower.Machine;
        follower.Committed.Clear();
        var stored = machine.Disk.Entries;
        int commits = machine.Disk.Commits;
        // What a follower loses is sent again, so its commits need not be flushed.
        var one = new Work(work) { IsSmall = true, IsSequencing = true };
        machine.Queue(one);
        machine.Commit();
        if (one.Failure is { } failure && failure is not StorageException)
            throw failure as Violation ?? new Violation("nothing fails", $"{Name(machine)} fails: {failure.Message}", failure);
        if (one.Failure is StorageException)
        {
            // The follower takes the stored state over with its next batch, which is empty; what came before is sent again.
            _statistics.Count("failed commits of followers");
            bool isStored = !ReferenceEquals(stored, machine.Disk.Entries);
            machine.Disk.IsFailing = false;
            BreakFollower(follower);
            machine.Queue(new Work(static _ => ValueTask.CompletedTask) { IsSmall = true });
            machine.Commit();
            follower.Arriving = Holdings.None;
            if (!isStored)
                follower.Replaced = Holdings.None;
        }
        Gain(follower);
        machine.Disk.Note(machine.Held, machine.Disk.Commits - commits);
        CheckFollower(follower);
    }

    /// <summary>Accounts for the transactions that a follower has, as far as it says that it knows them.</summary>
    void Gain(SimulatedFollower follower)
    {
        var machine = follower.Machine;
        var known = machine.Replica!.State.Known;
        if (!machine.Replica.IsReadable)
            return;
        if (!follower.Copied.IsEmpty || !follower.Replaced.IsEmpty)
        {
            // The copy is all that there is.
            machine.Held = KnownOf(follower.Copied.Or(follower.Replaced));
            (follower.Copied, follower.Replaced) = (Holdings.None, Holdings.None);
        }
        else
        {
            machine.Held = machine.Held.Or(KnownOf(follower.Offered));
        }
        machine.Ideal = Machine.Fresh(_scenario);
        _history.MergeInto(machine.Ideal, machine.Held);

        Holdings KnownOf(Holdings held) => Holdings.Of([.. held.Transactions.Where(number => known.Contains(_history[number].Stamp))]);
    }

    void ConnectFollower(SimulatedFollower follower, int chance)
    {
        Machine[] sources = [.. _machines.Where(machine => machine.IsJoined && machine.Replica!.Exclusion is null && !machine.IsMisfit && machine.Replica.Identity.Cluster == Cluster)];
        if (sources.Length == 0 || follower.Machine.Replica!.MustFinishBeforeFollowing)
            return;
        var source = sources[chance % sources.Length];
        var identity = follower.Machine.Replica.Identity;
        if (identity.Cluster != 0 && identity.Cluster != Cluster)
            return;
        var (connection, request) = follower.Machine.Replica.BeginFollowing();
        follower.Stream = new FollowerStream(source, connection, request);
        (follower.Offered, follower.Arriving) = (Holdings.None, Holdings.None);
        _statistics.Count("connections of followers");
        Say(follower, follower.Stream);
    }

    static void BreakFollower(SimulatedFollower follower)
    {
        if (follower.Stream is not { } stream)
            return;
        follower.Machine.Replica?.EndFollowing(stream.Connection);
        follower.Stream = null;
    }

    SimulatedFeed FeedOf(Machine source, SimulatedFollower follower)
    {
        var key = (source, string.Join('\n', follower.Machine.FollowedKeyspaces!));
        if (_feeds.TryGetValue(key, out var feed) && feed.Boot == source.Replica!.Boot)
            return feed;
        using var snapshot = Machine.Now(source.Storage.OpenSnapshotAsync());
        var state = Machine.Now(Replica.ReadStateAsync(snapshot, CancellationToken.None));
        return _feeds[key] = new SimulatedFeed(source.Replica!.Boot, state.Known, StateOf(source, snapshot, state, follower));
    }

    SourceState StateOf(Machine source, IStorageSnapshot snapshot, ReplicaState state, SimulatedFollower follower)
    {
        var replica = source.Replica!;
        return new SourceState(
            replica.Protocol, replica.Identity.Cluster, replica.Node, replica.Identity.StoreId, state.Known, state.Truncated, Machine.Now(ServerOf(source, follower).FingerprintAsync(snapshot)));
    }

    PullServer ServerOf(Machine source, SimulatedFollower follower) => new(
        source.Replica!.Catalog, _scenario.PartLength, follower.Machine.FollowedKeyspaces is { Count: > 0 } keyspaces ? keyspaces.ToHashSet(StringComparer.Ordinal) : null);

    /// <summary>Adds a step to the feed of a member, as its store does.</summary>
    void StepFeed(SimulatedFeed feed, Machine source, SimulatedFollower follower)
    {
        using var snapshot = Machine.Now(source.Storage.OpenSnapshotAsync());
        var state = Machine.Now(Replica.ReadStateAsync(snapshot, CancellationToken.None));
        feed.State = StateOf(source, snapshot, state, follower);
        if (state.Known.Equals(feed.Known))
            return;
        if (!feed.Known.Covers(state.Truncated))
        {
            _statistics.Count("feeds that were forgotten");
            feed.Forget();
            feed.Known = state.Known;
            return;
        }
        var parts = AnswerFollower(source, snapshot, new PullRequest(0, feed.Known, VersionVector.Empty, IsJoining: false), follower);
        feed.Known = state.Known;
        feed.Add(new FeedStep([.. parts.Select(static part => part.Encoded)], state.Known), source.Held);
    }

    List<ReplicaMessage> AnswerFollower(Machine source, IStorageSnapshot snapshot, PullRequest request, SimulatedFollower follower)
    {
        return Machine.Now(ReadAsync());

        async ValueTask<List<ReplicaMessage>> ReadAsync()
        {
            var parts = new List<ReplicaMessage>();
            await foreach (var part in ServerOf(source, follower).AnswerAsync(snapshot, request, isOfLower: false, stream: 0))
                parts.Add(part);
            return parts;
        }
    }

    void Say(SimulatedFollower follower, FollowerStream stream) => Send(stream, FeedOf(stream.Source, follower).State, Holdings.None);

    static void Send(FollowerStream stream, ReplicaMessage message, Holdings held) => stream.InFlight.Enqueue((message.Encoded, held));

    /// <summary>Sends the follower the next difference: its own, or the next step of the feed.</summary>
    void ServeFollower(SimulatedFollower follower)
    {
        if (follower.Stream is not { } stream)
            return;
        var source = stream.Source;
        var feed = FeedOf(source, follower);
        if (stream.Owed is { } pull)
        {
            stream.Position = feed.Next;
            if (_mutant.FeedsFromTheStart)
                stream.Position = feed.First;
            using var snapshot = Machine.Now(source.Storage.OpenSnapshotAsync());
            var parts = AnswerFollower(source, snapshot, _mutant.AnswersAnyFollower ? pull with { Truncated = VersionVector.Empty } : pull, follower);
            if (parts.Count == 0)
            {
                _statistics.Count("followers that were declined");
                follower.Machine.Replica!.OnSourceLacksDiscarded();
                BreakFollower(follower);
                return;
            }
            foreach (var part in parts)
                Send(stream, part, source.Held);
            stream.Known = Machine.Now(Replica.ReadStateAsync(snapshot, CancellationToken.None)).Known;
            stream.Owed = null;
            if (_mutant.TakesPlaceLate)
                stream.Position = -1;
            _statistics.Count(parts[0] is SnapshotPage ? "snapshots for followers" : "differences for followers");
            return;
        }
        if (stream.Position < 0)
        {
            StepFeed(feed, source, follower);
            stream.Position = feed.Next;
            return;
        }
        if (stream.Position < feed.First)
        {
            _statistics.Count("followers that fell behind the feed");
            stream.Owed = new PullRequest(0, stream.Known, VersionVector.Empty, IsJoining: false);
            return;
        }
        if (stream.Position == feed.Next)
        {
            StepFeed(feed, source, follower);
            return;
        }
        var (step, held) = feed[stream.Position++];
        if (!step.IsNewTo(stream.Known) && !_mutant.SendsOldSteps)
            return;
        foreach (byte[] message in step.Messages)
            stream.InFlight.Enqueue((message, held));
        stream.Known = stream.Known.Union(step.Known);
        _statistics.Count("steps for followers");
    }

    /// <summary>Delivers the next message of a member to its follower.</summary>
    void DeliverToFollower(SimulatedFollower follower)
    {
        if (follower.Stream is not { } stream || !stream.InFlight.TryDequeue(out var sent))
            return;
        var message = _mutant.OnFollowing(ReplicaMessage.Decode(sent.Message));
        stream.First ??= message as SourceState;
        var replica = follower.Machine.Replica!;
        if (_mutant.NeverCompares && message is SourceState said)
            message = said with { Fingerprint = replica.Catalog.Fingerprint };
        if (message is Chunk)
            follower.Offered = follower.Offered.Or(sent.Held);
        bool isOver = false;
        bool isCopy = replica.IsReadable;
        CommitAtFollower(follower, async batch =>
        {
            if (message is SnapshotPage && !isCopy)
                follower.Copied = sent.Held;
            else if (message is SnapshotPage)
                follower.Arriving = sent.Held;
            try
            {
                isOver = !await replica.FollowAsync(batch, stream.Connection, stream.First!, message, CancellationToken.None);
            }
            catch (InvalidDataException)
            {
                // The member lacks what the follower has discarded: it was given up, or has been restored.
                _statistics.Count("connections that followers end");
                isOver = true;
            }
        });
        if (replica.HasMissed)
            throw new Violation("nothing is left out", $"{Name(follower.Machine)} has not been sent something that its source {Name(stream.Source)} has.");
        Trace?.Invoke($"  {Name(follower.Machine)} takes {Describe(message)} of {Name(stream.Source)}, and knows {replica.State.Known}{(isOver ? "; the connection is over" : "")}");
        if (replica.HasArrived)
            ReplaceAtFollower(follower);
        if (isOver)
            BreakFollower(follower);
    }

    /// <summary>Makes an arrived snapshot the copy, with an empty batch.</summary>
    void ReplaceAtFollower(SimulatedFollower follower)
    {
        _statistics.Count("copies that were replaced");
        follower.Replaced = follower.Arriving;
        follower.Arriving = Holdings.None;
        var before = _scenario.Slots.Select(slot => (Slot: slot, Document: ShownBy(follower.Machine, slot))).Where(shown => !ReferenceEquals(shown.Document, Document.Nothing)).ToArray();
        CommitAtFollower(follower, async batch =>
        {
            if (!_mutant.MergesCopies)
                return;
            foreach (var (slot, document) in before)
                await batch.MergeAsync(batch.KeyOf(new DocumentName(slot.Keyspace, slot.Policy, slot.Key.Encoded)), document);
        });
    }

    void TickFollower(SimulatedFollower follower)
    {
        var replica = follower.Machine.Replica!;
        bool hasMore;
        int steps = 0;
        do
        {
            hasMore = false;
            CommitAtFollower(follower, async batch =>
            {
                replica.Tick(batch);
                hasMore = await replica.CollectAsync(batch, HlcTimestamp.None);
            });
        }
        while (hasMore && follower.Machine.Replica is not null && ++steps < 1_000);
    }

    /// <summary>Lets all followers catch up with a member.</summary>
    void FollowCalmly()
    {
        foreach (var follower in _followers)
        {
            follower.Machine.Disk.IsFailing = false;
            if (!follower.Machine.IsUp)
                StartFollower(follower);
            TickFollower(follower);
            if (follower.Stream is { } stream && (stream.Source.Replica?.Boot != stream.Boot || !IsActive(stream.Source)))
                BreakFollower(follower);
            if (follower.Stream is null)
                ConnectFollower(follower, Array.IndexOf(_followers, follower));
            for (int i = 0; i < 50 && follower.Stream is { } open; i++)
            {
                ServeFollower(follower);
                if (i % 10 == 9)
                    StepFeed(FeedOf(open.Source, follower), open.Source, follower);
                Say(follower, open);
                while (follower.Stream == open && open.InFlight.Count > 0)
                    DeliverToFollower(follower);
            }
            TickFollower(follower);
        }
    }

    /// <summary>Returns a description of a follower that has not caught up; null if all have.</summary>
    string? UnsettledFollower()
    {
        foreach (var follower in _followers)
        {
            if (follower.Machine.Replica is not { IsReadable: true } replica || follower.Stream is not { } stream)
                return $"{Name(follower.Machine)} has no copy";
            if (!replica.State.Known.Equals(stream.Source.Replica!.State.Known) || replica.DiffersFromSource || replica.HasArrived)
                return $"{Name(follower.Machine)} knows {replica.State.Known}, and its source {Name(stream.Source)} knows {stream.Source.Replica.State.Known}";
            if (!replica.State.Truncated.Equals(stream.Source.Replica.State.Truncated))
                return $"{Name(follower.Machine)} has truncated {replica.State.Truncated}, and its source {Name(stream.Source)} {stream.Source.Replica.State.Truncated}";
            if (follower.Machine.Disk.Range(StoreLayout.AllArriving).Any() || follower.Machine.Disk.Range(StoreLayout.AllArrivingLog).Any())
                return $"{Name(follower.Machine)} keeps parts of a snapshot";
            if (DifferenceOf(follower) is { } difference)
                return difference;
        }
        return null;
    }

    string? DifferenceOf(SimulatedFollower follower) => _scenario.Slots.Where(slot => IsFollowed(follower, slot) && !ShowSame(ShownBy(follower.Machine, slot), ShownBy(follower.Stream!.Source, slot), slot.Policy))
        .Select(slot => $"{Name(follower.Machine)} shows <{ShownBy(follower.Machine, slot)}> for {slot}, and its source <{ShownBy(follower.Stream!.Source, slot)}>").FirstOrDefault();

    static bool IsFollowed(SimulatedFollower follower, Slot slot) => follower.Machine.FollowedKeyspaces!.Count == 0 || follower.Machine.FollowedKeyspaces.Contains(slot.Keyspace);

    /// <summary>Checks that followers that have caught up keep no more than the members.</summary>
    void CheckFollowersFinally()
    {
        foreach (var follower in _followers)
        {
            CheckNothingLeftOver(follower.Machine);
        }
    }

    /// <summary>Checks that a follower shows exactly the merge of the transactions that it says it knows.</summary>
    void CheckFollower(SimulatedFollower follower)
    {
        var machine = follower.Machine;
        CheckStore(machine);
        if (machine.Replica is not { IsReadable: true })
            return;
        foreach (var slot in _scenario.Slots)
        {
            var shown = ShownBy(machine, slot);
            var ideal = IsFollowed(follower, slot) ? machine.Ideal[slot.Number] : Document.Nothing;
            if (!ShowSame(shown, ideal, slot.Policy))
                throw new Violation("exactness", $"{Name(machine)}, a follower, shows <{shown}> for {slot}; it should show <{ideal}>.");
        }
    }
}
