using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Transactions;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Shows the answers of one member, message by message, when the others are always a little behind or ahead [S3, S6, S9].</summary>
public sealed class SequencerMessageTests : IAsyncLifetime
{
    const ulong StoreId = 7;
    const int Steps = 10;

    readonly SimulatedTime _time = new();
    readonly MemoryStorage _storage = new();
    readonly List<(byte To, SequencingMessage Message)> _sent = [];
    readonly Dictionary<byte, long> _sessions = [];
    readonly SimulatedClock _clock;
    Replica _replica = null!;
    Sequencer _sequencer = null!;

    public SequencerMessageTests() => _clock = new SimulatedClock(_time);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    [Fact]
    public async Task Follower_that_never_knows_the_newest_token_drops_the_entries_whose_effects_it_knows()
    {
        await OpenAsync(Voters(2));
        await ConnectAsync(2);

        for (ulong i = 1; i <= Steps; i++)
        {
            await RunAsync(async batch =>
            {
                if (i > 2)
                    batch.Claim(2, Stamp(i - 3), Stamp(i - 2));
                await ReceiveAsync(batch, 2, new AppendRequest(StatusOf(i - 1, Stamp(i - 1)), i - 1, i > 1 ? 1UL : 0, [SequenceEntry.Empty(1)]));
            });
            Assert.False(_replica.State.Known.Contains(Stamp(i - 1)));
        }

        Assert.True(_sequencer.State.Base >= Steps - 4, $"{_sequencer.State.Base}");
        Assert.True(_replica.State.Known.Covers(_sequencer.State.Token));
    }

    [Fact]
    public async Task Effects_that_come_in_the_same_batch_as_a_message_count_for_what_it_drops()
    {
        await OpenAsync(Voters(2));
        await ConnectAsync(2);
        await RunAsync(batch => ReceiveAsync(batch, 2, new AppendRequest(StatusOf(0, Stamp(0)), 0, 0, [SequenceEntry.Empty(1)])));

        await RunAsync(async batch =>
        {
            batch.Claim(2, Stamp(0), Stamp(1));
            await ReceiveAsync(batch, 2, new AppendRequest(StatusOf(1, Stamp(1)), 1, 1, [SequenceEntry.Empty(1)]));
        });

        Assert.Equal((1UL, 2UL), (_sequencer.State.Base, _sequencer.Last));
    }

    [Fact]
    public async Task Follower_that_never_knows_the_newest_base_takes_over_an_earlier_one_and_tells_the_sequencer()
    {
        await OpenAsync(Voters(2));
        await ConnectAsync(2);

        for (ulong i = 1; i <= Steps; i++)
        {
            await RunAsync(async batch =>
            {
                if (i > 1)
                    batch.Claim(2, Stamp(i - 2), Stamp(i - 1));
                await ReceiveAsync(batch, 2, new BaseNotice(StatusOf(i, Stamp(i)), i, 1, [.. Voters(2)]));
            });
        }

        Assert.True(_sequencer.State.Base >= Steps - 2, $"{_sequencer.State.Base}");
        Assert.Contains(_sent, sent => sent is (2, AppendReply { IsTaken: true } reply) && reply.Match == _sequencer.State.Base);
    }

    [Fact]
    public async Task Entries_above_a_base_that_is_taken_over_are_dropped_when_their_effects_are_known()
    {
        await OpenAsync(Voters(2));
        await ConnectAsync(2);
        for (ulong i = 1; i <= 3; i++)
            await RunAsync(batch => ReceiveAsync(batch, 2, new AppendRequest(StatusOf(i - 1, Stamp(i - 1)), i - 1, i > 1 ? 1UL : 0, [SequenceEntry.Empty(1)])));
        await RunAsync(batch => ReceiveAsync(batch, 2, new BaseNotice(StatusOf(1, Stamp(0)), 1, 1, [.. Voters(2)])));
        Assert.Equal(1UL, _sequencer.State.Base);

        await RunAsync(batch =>
        {
            batch.Claim(2, Stamp(0), Stamp(2));
            return ValueTask.CompletedTask;
        });
        _time.Pass(TimeSpan.FromSeconds(2));
        await RunAsync(_ => ValueTask.CompletedTask);

        Assert.Equal(2UL, _sequencer.State.Base);
    }

    [Fact]
    public async Task Base_that_an_earlier_sequencer_has_named_is_no_longer_waited_for()
    {
        await OpenAsync(Voters(2));
        await ConnectAsync(2);
        await ConnectAsync(3);
        await RunAsync(batch => ReceiveAsync(batch, 2, new BaseNotice(StatusOf(5, Stamp(5)), 5, 1, [.. Voters(2)])));

        await RunAsync(batch => ReceiveAsync(batch, 3, new AppendRequest(StatusOf(0, Stamp(0)) with { Epoch = 2 }, 0, 0, [])));
        await RunAsync(batch =>
        {
            batch.Claim(2, Stamp(0), Stamp(5));
            return ValueTask.CompletedTask;
        });

        Assert.Equal(0UL, _sequencer.State.Base);
    }

    [Fact]
    public async Task Voter_is_added_under_load_although_it_is_a_few_entries_behind_and_entries_wait()
    {
        await OpenAsync([new Voter(StoreId, 0), .. Voters(2)]);
        await ConnectAsync(2);
        await ConnectAsync(3);
        await ElectAsync(2);
        Assert.Equal(2, _sequencer.Voters.Count);

        for (int i = 0; i < Steps && _sequencer.Voters.Count == 2; i++)
        {
            // Each of the members acknowledges all but the last entries, and the next ones are made before that.
            ulong last = _sequencer.Last;
            await RunAsync(async batch =>
            {
                await ReceiveAsync(batch, 2, Taken(last - 1));
                await ReceiveAsync(batch, 3, Taken(last - Math.Min(3, last)));
                await _sequencer.Caller.CommitAsync(batch, Write(i), static _ => { });
                _time.Pass(TimeSpan.FromMilliseconds(50));
                await _sequencer.TickAsync(batch);
            });
            Assert.True(_sequencer.Waiting > 0);
        }

        Assert.Equal([StoreId, 12, 13], _sequencer.Voters);
    }

    [Fact]
    public async Task Voter_is_not_added_before_it_has_taken_an_entry()
    {
        await OpenAsync([new Voter(StoreId, 0), .. Voters(2)]);
        await ConnectAsync(2);
        await ConnectAsync(3);
        await ElectAsync(2);
        await RunAsync(async batch =>
        {
            await ReceiveAsync(batch, 2, Taken(_sequencer.Last));
            await ReceiveAsync(batch, 3, Taken(0) with { IsTaken = false });
        });

        await RunAsync(_sequencer.TickAsync);
        Assert.Equal([StoreId, 12], _sequencer.Voters);

        await RunAsync(batch => ReceiveAsync(batch, 3, Taken(_sequencer.Last)));
        await RunAsync(_sequencer.TickAsync);
        Assert.Equal([StoreId, 12, 13], _sequencer.Voters);
    }

    [Fact]
    public async Task Recovery_waits_for_no_answer_of_a_node_that_has_not_joined()
    {
        await OpenAsync([new Voter(StoreId, 0), .. Voters(7, 8)]);
        await ConnectAsync(2, hasJoined: false);
        await ConnectAsync(3);
        Assert.Equal("Node 3 has not answered yet. Try again in a moment.", await ReasonAgainstRecoveryAsync());

        await RunAsync(batch => ReceiveAsync(batch, 3, new PositionReply(_sequencer.State.Founding, 0, 1, 0, 0, HlcTimestamp.None, [], VersionVector.Empty, MayStand: false)));
        Assert.Null(await ReasonAgainstRecoveryAsync());
        await RunAsync(async batch => Assert.True(await _sequencer.RecoverAsync(batch)));
        Assert.Equal([StoreId], _sequencer.Voters);
    }

    [Fact]
    public async Task Recovery_is_possible_if_the_reachable_voters_do_not_know_that_they_are_a_majority()
    {
        // The lost store 19 had named 12 a voter. Neither 12 nor 13 has heard of it.
        await OpenAsync(Voters(2, 3, 9));
        await ConnectAsync(2);
        await ConnectAsync(3);
        await AnswerAsync(2, Voters(3, 9));
        await AnswerAsync(3, Voters(3, 9));
        Assert.Null(await ReasonAgainstRecoveryAsync());

        // If one of them has heard of it, it can be elected.
        await AnswerAsync(3, Voters(2, 3, 9));
        Assert.Equal("2 of 3 voters can be reached, and elect a sequencer by themselves. Nothing was changed.", await ReasonAgainstRecoveryAsync());

        Task AnswerAsync(byte node, Voter[] voters) => RunAsync(batch =>
            ReceiveAsync(batch, node, new PositionReply(_sequencer.State.Founding, 0, 1, 0, 0, HlcTimestamp.None, voters, VersionVector.Empty, MayStand: voters.Contains(Voters(node)[0]))));
    }

    [Fact]
    public async Task View_of_the_members_shows_the_sessions_that_are_open_at_the_same_moment()
    {
        await OpenAsync(Voters(2));
        await ConnectAsync(2);
        var view = StoreMembership.Of(_replica, default, expected: 1);
        Assert.True(view.IsInSession(2, _sessions[2]));
        Assert.False(view.IsInSession(2, _sessions[2] + 1));
        Assert.Same(view, view.Refresh(_replica, default));

        long first = _sessions[2];
        _replica.CloseSession(2, first);
        var without = view.Refresh(_replica, default);
        await ConnectAsync(2);
        var again = without.Refresh(_replica, default);

        Assert.True(view.IsInSession(2, first));
        Assert.False(without.IsInSession(2, first));
        Assert.False(again.IsInSession(2, first));
        Assert.True(again.IsInSession(2, _sessions[2]));
    }

    [Fact]
    public async Task Voter_is_not_added_before_the_last_change_of_voters_is_decided()
    {
        await OpenAsync([new Voter(StoreId, 0), .. Voters(2)]);
        await ConnectAsync(2);
        await ConnectAsync(3);
        await ConnectAsync(4);
        await ElectAsync(2);
        ulong before = _sequencer.Last;

        for (int i = 0; i < Steps; i++)
        {
            await RunAsync(async batch =>
            {
                foreach (byte node in (byte[])[2, 3, 4])
                    await ReceiveAsync(batch, node, Taken(before));
                _time.Pass(TimeSpan.FromMilliseconds(50));
                await _sequencer.TickAsync(batch);
            });
        }
        Assert.Equal([StoreId, 12, 13], _sequencer.Voters);

        await RunAsync(async batch =>
        {
            foreach (byte node in (byte[])[2, 3, 4])
                await ReceiveAsync(batch, node, Taken(_sequencer.Last));
        });
        await RunAsync(_sequencer.TickAsync);
        Assert.Equal([StoreId, 12, 13, 14], _sequencer.Voters);
    }

    [Fact]
    public async Task Base_is_followed_at_once_by_the_entries_above_it()
    {
        await OpenAsync([new Voter(StoreId, 0), .. Voters(2)]);
        await ConnectAsync(2);
        await ElectAsync(2);
        await RunAsync(async batch => await _sequencer.Caller.CommitAsync(batch, Write(1), static _ => { }));
        await ConnectAsync(3);
        await RunAsync(batch =>
        {
            _time.Pass(TimeSpan.FromMilliseconds(200));
            return _sequencer.TickAsync(batch);
        });
        _sent.Clear();

        await RunAsync(batch => ReceiveAsync(batch, 3, Taken(0) with { IsTaken = false }));

        ulong knownBase = _sequencer.State.Base;
        Assert.True(knownBase > 0 && _sequencer.Last > knownBase);
        Assert.Collection(
            _sent.Where(static sent => sent.To == 3).Select(static sent => sent.Message),
            message => Assert.Equal(knownBase, Assert.IsType<BaseNotice>(message).Base),
            message =>
            {
                var request = Assert.IsType<AppendRequest>(message);
                Assert.Equal((knownBase, _sequencer.Last - knownBase), (request.Previous, (ulong)request.Entries.Count));
            });
    }

    static Voter[] Voters(params byte[] nodes) => [.. nodes.Select(static node => new Voter(StoreOf(node), 0))];

    static ulong StoreOf(byte node) => 10UL + node;

    /// <summary>Returns the stamp of the effects of an entry; none for 0.</summary>
    static HlcTimestamp Stamp(ulong entry) => entry == 0 ? HlcTimestamp.None : new((uint)entry, 0, 0, 2);

    static SequencerStatus StatusOf(ulong applied, HlcTimestamp stamp) => new(1, 100, 1, applied, HlcTimestamp.None, applied, VersionVector.Of(2, HlcTimestamp.None, stamp), default);

    AppendReply Taken(ulong match) => new(_sequencer.State.Epoch, true, match, 0, new HlcTimestamp(ulong.MaxValue), Willingness: 0, 0, default);

    static SerialProposal Write(int value) => new()
    {
        Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, "cakes", value, DocumentContent.OfRaw(Encoding.UTF8.GetBytes("cake")), []))],
    };

    /// <summary>Opens the store, as a member that knows some voters.</summary>
    async Task OpenAsync(IReadOnlyList<Voter> voters)
    {
        using (var snapshot = await _storage.OpenSnapshotAsync(Canceled))
        {
            (_replica, var batch) = await Replica.OpenAsync(
                new ReplicaSettings("messages", "", 1, StoreId, _clock) { Delay = (wait, _) => Pass(wait) }, new HybridLogicalClock(1, _clock), _storage, snapshot, Canceled);
            _replica.Bootstrap();
            var prepared = _replica.Prepare(batch).Batch;
            prepared.Put(StoreLayout.SequenceKey, (SequenceState.None with { Epoch = 1, BaseVoters = voters }).Encode());
            await _storage.CommitAsync(prepared, Durability.Flushed, Canceled);
            _replica.Complete(batch);
        }
        using var stored = await _storage.OpenSnapshotAsync(Canceled);
        _sequencer = new Sequencer(new SequencerSettings(_clock, new Random(1)), _replica, await SequenceLog.LoadAsync(stored, Canceled));
    }

    /// <summary>Opens a session with another member.</summary>
    Task ConnectAsync(byte node, bool hasJoined = true) => RunAsync(batch =>
    {
        var run = hasJoined ? new HlcTimestamp(_replica.Run.Packed & ~0xFFUL | node) : HlcTimestamp.None;
        var hello = _replica.Hello() with { Node = node, StoreId = StoreOf(node), Run = run, Known = VersionVector.Empty };
        _sessions[node] = _replica.OpenSession(batch, hello, isDialer: true);
        return ValueTask.CompletedTask;
    });

    /// <summary>Makes the store the sequencer, by the votes of another member, which also has its first entry.</summary>
    async Task ElectAsync(byte voter)
    {
        for (int i = 0; i < 100 && !_sequencer.IsReady; i++)
        {
            _time.Pass(TimeSpan.FromMilliseconds(500));
            _sent.Clear();
            await RunAsync(_sequencer.TickAsync);
            while (_sent.FindLast(static sent => sent.Message is VoteRequest or AppendRequest).Message is { } asked)
            {
                _sent.Clear();
                await RunAsync(batch => ReceiveAsync(batch, voter, asked is VoteRequest request
                    ? new VoteReply(request.Epoch, request.IsProbe, true, HlcTimestamp.None, 0, default)
                    : Taken(_sequencer.Last)));
            }
        }
        Assert.True(_sequencer.IsReady);
    }

    async Task<string?> ReasonAgainstRecoveryAsync()
    {
        string? reason = null;
        await RunAsync(batch =>
        {
            reason = _sequencer.ReasonAgainstRecovery(batch);
            return ValueTask.CompletedTask;
        });
        return reason;
    }

    ValueTask ReceiveAsync(ReplicaBatch batch, byte node, SequencingMessage message) => _sequencer.ReceiveAsync(batch, node, _sessions[node], message.Wrap());

    async Task RunAsync(Func<ReplicaBatch, ValueTask> work)
    {
        using var snapshot = await _storage.OpenSnapshotAsync(Canceled);
        var batch = _replica.Begin(snapshot);
        await work(batch);
        await _sequencer.FinishAsync(batch);
        await _storage.CommitAsync(_replica.Prepare(batch).Batch, Durability.Flushed, Canceled);
        _replica.Complete(batch);
        _sequencer.Complete();
        _sent.AddRange(from outgoing in batch.EarlyOutbox.Concat(batch.Outbox)
                       where outgoing.Message is SequenceMessage
                       select (outgoing.Peer!.Value, SequencingMessage.Decode((SequenceMessage)outgoing.Message)));
    }

    ValueTask Pass(TimeSpan time)
    {
        _time.Pass(time);
        return ValueTask.CompletedTask;
    }
}
