using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.Simulation.Worlds;

// Batches and commits.
sealed partial class World
{
    void Resume(Machine machine)
    {
        machine.IsStalled = false;
        if (machine.Waiting.Count > 0)
            Commit(machine);
    }

    void Run(Machine machine, Action<ReplicaBatch> work) => Queue(machine, new Work(batch =>
    {
        work(batch);
        return ValueTask.CompletedTask;
    })
    { IsSmall = true });

    void Queue(Machine machine, Link link, bool isSmall, Func<ReplicaBatch, ValueTask> work, bool isSequencing = false) =>
        Queue(machine, new Work(work) { Sender = link.Peer, IsSmall = isSmall, IsSequencing = isSequencing, Failed = failure => Refuse(machine, link, failure) });

    void Queue(Machine machine, Work work)
    {
        machine.Queue(work);
        if (!machine.IsStalled && !_isCommitting)
            Commit(machine);
        else if (machine.Waiting.Count > 50)
            Resume(machine);
    }

    /// <summary>Commits all waiting work of a machine, then the work that resulted from it.</summary>
    void Commit(Machine machine)
    {
        _isCommitting = true;
        do
        {
            var before = machine.Replica!.State;
            var stored = machine.Disk.Entries;
            _committed.Clear();
            int commits = machine.Disk.Commits;
            var work = machine.Commit();
            _statistics.CountBatch();
            if (work.FirstOrDefault(one => !IsExpected(machine, one.Failure)) is { Failure: { } failure })
                throw failure as Violation ?? new Violation("nothing fails", $"{Name(machine)} fails: {failure.Message}", failure);
            NoteApplied(machine);
            if (_committed.Count > 0)
            {
                TakeLate(machine, work);
                machine.Disk.Join(machine.Disk.Commits - commits);
                Settle(machine, before, _committed, work);
                NoteReleases(machine);
                foreach (var batch in _committed)
                    Dispatch(machine, batch);
            }
            else
            {
                FailedCommit(machine, before, work, isStored: !ReferenceEquals(stored, machine.Disk.Entries));
            }
            EndSessions(machine);
            _written.Clear();
            _sold.Clear();
            _acknowledged.Clear();
        }
        while (machine.Waiting.Count > 0);
        _isCommitting = false;
    }

    /// <summary>
    /// Handles two consecutive batches of which the storage stored one but reported that it failed. The replica finds out with its next batch.
    /// </summary>
    void TakeLate(Machine machine, Work[] work)
    {
        ReplicaBatch[] late = [.. work.Where(one => one.Failure is StorageException { Error: StorageError.Failed }).Select(one => one.Batch).OfType<ReplicaBatch>().Distinct()];
        if (late.Length == 0)
            return;
        _statistics.Count("failed commits that were stored");
        machine.Commit();
        _committed.AddRange(late);
        _committed.Sort((a, b) => FirstOf(a).CompareTo(FirstOf(b)));

        static HlcTimestamp FirstOf(ReplicaBatch batch) => batch.Mutations.Count > 0 ? batch.Mutations[0].Stamp : HlcTimestamp.None;
    }

    /// <summary>Handles a commit that failed but may have been stored. The replica finds out with its next batch.</summary>
    void FailedCommit(Machine machine, ReplicaState before, Work[] work, bool isStored)
    {
        _statistics.Count("failed commits");
        Trace?.Invoke($"  node {machine.Node} fails to commit{(isStored ? ", but has stored it" : "")}");
        if (!isStored)
            return;
        _statistics.Count("failed commits that were stored");
        var stored = machine.Disk.Entries;
        machine.Commit();
        int commits = ReferenceEquals(stored, machine.Disk.Entries) ? 1 : 2;
        Settle(machine, before, [work.First(one => one.Batch is not null).Batch!], work, commits);
    }

    /// <summary>Adds a commit to the history and checks the replica.</summary>
    void Settle(Machine machine, ReplicaState before, IReadOnlyList<ReplicaBatch> batches, Work[] work, int commits = 1)
    {
        var replica = machine.Replica!;
        var offered = work.Aggregate(Holdings.None, (all, one) => all.Or(one.Offered));
        bool isReconciled = batches.Any(batch => batch.IsReconciled);
        if (isReconciled && machine.Arrived is var (arrived, theirs))
        {
            offered = offered.Or(arrived);
            if (!before.Known.Covers(theirs.Truncated))
                NoteReconcile(machine, theirs);
        }
        var own = new List<int>();
        foreach (var batch in batches)
        {
            foreach (var mutation in batch.Mutations)
            {
                if (Note(machine, mutation, Holdings.Of(own), isAgain: batch.WrittenAgain.Contains(mutation.Stamp)) is { } number)
                    own.Add(number);
            }
        }
        if (isReconciled || !replica.HasArrived)
            machine.Arrived = null;
        Gain(machine, before, offered, own);
        machine.Disk.Note(machine.Held, commits);
        machine.HadJoined = replica.IsJoined;
    }

    /// <summary>Sends the messages of a committed batch, in the same way as the peer links.</summary>
    void Dispatch(Machine machine, ReplicaBatch batch)
    {
        if (batch.Mutations.Count > 0)
            Broadcast(machine, new Mutations(batch.Mutations));
        Send(machine, batch.Outbox);
        if (batch.HasPulled && machine.IsJoined)
            Broadcast(machine, machine.Replica!.Report(batch));
    }

    void DispatchEarly(Machine machine, ReplicaBatch batch) => Send(machine, batch.EarlyOutbox);

    void Send(Machine machine, List<Outgoing> messages)
    {
        foreach (var (peer, session, message) in messages)
        {
            foreach (var link in machine.Links.Values)
            {
                if (peer is null || (link.Peer.Node == peer && link.Session == session))
                    Send(machine, link, message, machine.Held);
            }
        }
    }

    void Broadcast(Machine machine, ReplicaMessage message)
    {
        foreach (var link in machine.Links.Values)
            Send(machine, link, message, machine.Held);
    }
}
