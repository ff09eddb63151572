using System.Globalization;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

public sealed class SerialStoreTests : IDisposable
{
    const string Accounts = "accounts", Notes = "notes";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datacake-");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Serial_transaction_of_a_single_node_is_committed_and_shown()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        await store.CommitAsync(PutOf(1, 10), Consistency.Serial, Token);
        Assert.Equal(10, await ReadAsync(store, 1));
        await store.CommitSerialAsync(new SerialTransaction(PutOf(1, 11), [await ConditionAsync(store, 1)]), Token);
        Assert.Equal(11, await ReadAsync(store, 1));
    }

    [Fact]
    public async Task Serial_transactions_of_a_single_node_survive_its_restart()
    {
        string file = Path.Combine(_folder.FullName, "store");
        await using var cluster = new TestCluster();
        await using var before = new SqliteStorage(file);
        await AddAsync(cluster, 1, before);
        await cluster[1].Store.CommitAsync(PutOf(1, 10), Consistency.Serial, Token);
        await cluster[1].Node.DisposeAsync();
        await before.DisposeAsync();
        await using var after = new SqliteStorage(file);
        await AddAsync(cluster, 1, after);
        Assert.Equal(10, await ReadAsync(cluster[1].Store, 1));
        await cluster[1].Store.CommitAsync(PutOf(1, 11), Consistency.Serial, Token);
        Assert.Equal(11, await ReadAsync(cluster[1].Store, 1));
    }

    [Fact]
    public async Task Node_with_the_id_0_is_the_sequencer_of_the_others()
    {
        await using var cluster = new TestCluster();
        for (int node = 0; node < 2; node++)
            await AddAsync(cluster, node, new MemoryStorage());
        await WaitForVotersAsync(cluster, 2);

        await cluster[1].Store.CommitAsync(PutOf(1, 10), Consistency.Serial, Token);

        Assert.Equal(10, await ReadAsync(cluster[1].Store, 1));
        Assert.Equal((byte)0, cluster[1].Store.SerialStatus.Sequencer);
    }

    [Fact]
    public async Task Every_node_commits_serial_transactions_and_a_barrier_shows_them_everywhere()
    {
        await using var cluster = await StartAsync(3);
        for (int round = 1; round <= 10; round++)
        {
            var writer = cluster[1 + (round % 3)].Store;
            await writer.CommitAsync(PutOf(1, round), Consistency.Serial, Token);
            Assert.Equal(round, await ReadAsync(writer, 1));
            for (int node = 1; node <= 3; node++)
            {
                await cluster[node].Store.CatchUpAsync(Consistency.Serial, Token);
                Assert.Equal(round, await ReadAsync(cluster[node].Store, 1));
            }
        }
    }

    [Fact]
    public async Task Transaction_whose_condition_no_longer_holds_is_refused_and_writes_nothing()
    {
        await using var cluster = await StartAsync(3);
        await cluster[1].Store.CommitAsync(PutOf(1, 10), Consistency.Serial, Token);
        await cluster[2].Store.CatchUpAsync(Consistency.Serial, Token);
        var read = await ConditionAsync(cluster[2].Store, 1);
        await cluster[3].Store.CommitAsync(PutOf(1, 20), Consistency.Serial, Token);
        var both = PutOf(1, 11);
        both.Put(Accounts, KeyOf(2), ContentOf(5));
        var e = await Assert.ThrowsAsync<SerialConflictException>(async () => await cluster[2].Store.CommitSerialAsync(new SerialTransaction(both, [read]), Token));
        Assert.Equal(0, e.Condition);
        await cluster[2].Store.CatchUpAsync(Consistency.Serial, Token);
        Assert.Equal(20, await ReadAsync(cluster[2].Store, 1));
        Assert.Null(await ReadAsync(cluster[2].Store, 2));
    }

    [Fact]
    public async Task Concurrent_increments_from_all_nodes_lose_nothing()
    {
        const int perWriter = 15, writers = 6;
        await using var cluster = await StartAsync(3);
        await cluster[1].Store.CommitAsync(PutOf(1, 0), Consistency.Serial, Token);
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => IncrementAsync(cluster[1 + (writer % 3)].Store, perWriter), Token)));
        await cluster[2].Store.CatchUpAsync(Consistency.Serial, Token);
        Assert.Equal(perWriter * writers, await ReadAsync(cluster[2].Store, 1));
    }

    [Fact]
    public async Task Serial_transaction_may_write_to_merging_keyspaces_too()
    {
        await using var cluster = await StartAsync(2);
        var transaction = PutOf(1, 10);
        transaction.Put(Notes, KeyOf(7), ContentOf(70));
        await cluster[2].Store.CommitAsync(transaction, Consistency.Serial, Token);
        Assert.Equal(70, Number(await cluster[2].Store.Keyspace(Notes).GetAsync(7, Token)));
        await cluster[2].Store.Keyspace(Notes).PutAsync(7, new byte[] { 1 }, Consistency.None, Token);
    }

    [Fact]
    public async Task Ordinary_write_to_a_serial_keyspace_is_refused_on_every_node()
    {
        await using var cluster = await StartAsync(2);
        foreach (var store in cluster.Stores)
        {
            var e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CommitAsync(PutOf(1, 1), Consistency.All, Token));
            Assert.Contains("is serial", e.Message, StringComparison.Ordinal);
            Assert.Null(await ReadAsync(store, 1));
        }
    }

    [Fact]
    public async Task What_a_sequencer_could_not_apply_twice_is_refused_before_it_is_sent()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        var update = new Transaction();
        update.Update(Accounts, KeyOf(1), ContentOf(1));
        Assert.Contains("as a whole", (await Assert.ThrowsAsync<ArgumentException>(async () => await store.CommitAsync(update, Consistency.Serial, Token))).Message, StringComparison.Ordinal);
        var counter = new Transaction();
        counter.Put(Notes, KeyOf(1), ContentOf(1), [new CounterIncrement("visits", 1)]);
        Assert.Contains("'visits'", (await Assert.ThrowsAsync<ArgumentException>(async () => await store.CommitAsync(counter, Consistency.Serial, Token))).Message, StringComparison.Ordinal);
        var function = PutOf(1, 1);
        function.Require(Accounts, KeyOf(1), static _ => true);
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.CommitAsync(function, Consistency.Serial, Token));
        Assert.Null(await ReadAsync(store, 1));
    }

    [Fact]
    public async Task Keyspace_with_documents_is_not_declared_as_the_other_kind()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        await store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        await store.Keyspace(Notes).PutAsync(1, new byte[] { 1 }, Consistency.None, Token);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.DeclareAsync(new KeyspaceDeclaration(Accounts, MergePolicy.LastWriterWins, []), Token));
        Assert.Contains("declared as not serial", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.DeclareAsync(new KeyspaceDeclaration(Notes, MergePolicy.Serial, []), Token));
        Assert.Contains("declared as serial", e.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ReadAsync(store, 1));
    }

    [Fact]
    public async Task Without_a_majority_of_the_voters_a_transaction_is_refused_at_once_and_names_who_is_missing()
    {
        await using var cluster = await StartAsync(3);
        await WaitForVotersAsync(cluster, 3);
        await cluster[3].Node.DisposeAsync();
        await cluster[2].Node.DisposeAsync();
        await TestCluster.WaitUntilAsync(() => !cluster[1].Store.RequirementOf(Consistency.Serial).IsReachable, "the majority is known to be gone");
        await TestCluster.WaitUntilAsync(() => cluster[1].Node.Members.Count(static member => member.State == MemberState.Left) == 2, "the other nodes are known to have left");
        var e = await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token));
        Assert.Contains("Serial requires 2 of 3 voters (nodes 1, 2, and 3)", e.Message, StringComparison.Ordinal);
        Assert.Contains("1 more of the voters (nodes 2 and 3)", e.Message, StringComparison.Ordinal);
        Assert.All(e.Members.Skip(1), member => Assert.Contains($"node {member.NodeId} ({member.DataCenter}, {member.Address}, left)", e.Message, StringComparison.Ordinal));
        Assert.Contains("datacake recover-serial", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.CatchUpAsync(Consistency.Serial, Token));
        // Everything else works on.
        await cluster[1].Store.Keyspace(Notes).PutAsync(1, new byte[] { 1 }, Consistency.None, Token);
    }

    [Fact]
    public async Task Transactions_go_on_when_the_sequencer_stops()
    {
        await using var cluster = await StartAsync(3);
        await WaitForVotersAsync(cluster, 3);
        await cluster[1].Store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        int sequencer = cluster[1].Store.SerialStatus.Sequencer!.Value;
        int other = 1 + (sequencer % 3), third = 1 + (other % 3);
        await cluster[sequencer].Node.DisposeAsync();
        await cluster[other].Store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token);
        await cluster[third].Store.CatchUpAsync(Consistency.Serial, Token);
        Assert.Equal(2, await ReadAsync(cluster[third].Store, 1));
    }

    [Fact]
    public async Task Transactions_go_on_without_a_gap_while_sequencers_are_cut_off_one_after_another()
    {
        await using var cluster = await StartAsync(3);
        await WaitForVotersAsync(cluster, 3);
        await cluster[1].Store.CommitAsync(PutOf(1, 0), Consistency.Serial, Token);
        int written = 0;
        for (int round = 0; round < 3; round++)
        {
            int sequencer = cluster[1].Store.SerialStatus.Sequencer ?? 1;
            cluster[sequencer].Transport.Cut();
            int other = 1 + (sequencer % 3);
            written += 5;
            await IncrementAsync(cluster[other].Store, 5);
            cluster[sequencer].Transport.Heal();
            await cluster.WaitUntilConnectedAsync();
        }
        for (int node = 1; node <= 3; node++)
        {
            await cluster[node].Store.CatchUpAsync(Consistency.Serial, Token);
            Assert.Equal(written, await ReadAsync(cluster[node].Store, 1));
        }
    }

    [Fact]
    public async Task Outcome_that_was_not_learned_in_time_is_resolved_later_and_the_transaction_took_effect_once()
    {
        await using var cluster = new TestCluster();
        await AddAsync(cluster, 1);
        await AddAsync(cluster, 2, timeout: TimeSpan.FromSeconds(1));
        await cluster.WaitUntilConnectedAsync();
        await WaitForVotersAsync(cluster, 2);
        await cluster[1].Store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        int sequencer = cluster[2].Store.SerialStatus.Sequencer!.Value;
        Assert.Equal(1, sequencer);
        await cluster[2].Store.CatchUpAsync(Consistency.Serial, Token);
        var read = await ConditionAsync(cluster[2].Store, 1);
        cluster[2].Transport.Pause();
        var e = await Assert.ThrowsAsync<OutcomeUnknownException>(async () => await cluster[2].Store.CommitSerialAsync(new SerialTransaction(PutOf(1, 2), [read]), Token));
        Assert.Contains(nameof(OutcomeUnknownException.ResolveAsync), e.Message, StringComparison.Ordinal);
        cluster[2].Transport.Resume();
        await TestCluster.WaitUntilAsync(async () =>
        {
            try
            {
                await e.ResolveAsync(Token);
                return true;
            }
            catch (Exception failure) when (failure is OutcomeUnknownException or NotEnoughNodesException)
            {
                return false;
            }
        }, "the outcome is known");
        await cluster[1].Store.CatchUpAsync(Consistency.Serial, Token);
        Assert.Equal(2, await ReadAsync(cluster[1].Store, 1));
    }

    [Fact]
    public async Task Number_with_too_many_places_is_refused_before_it_is_sent()
    {
        await using var cluster = await StartAsync(1);
        var number = new SerialNumber("many", 10, [.. Enumerable.Repeat(NumberPlace.OfKey(0, 0, 0), SerialNumber.MaxNumbers + 1)]);
        var e = await Assert.ThrowsAsync<ArgumentException>(async () => await cluster[1].Store.CommitSerialAsync(new SerialTransaction(PutOf(0, 1), []) { Numbers = [number] }, Token));
        Assert.Equal("A serial transaction has 100001 places of one number of the sequence 'many'. The limit is 100000. Nothing was written. Read or write less in one transaction.", e.Message);
    }

    [Fact]
    public async Task Members_that_join_become_voters_up_to_the_number_that_is_set_and_not_those_that_never_vote()
    {
        await using var cluster = new TestCluster();
        for (int node = 1; node <= 4; node++)
            await AddAsync(cluster, node, maxVoters: 3, neverVotes: node == 2);
        await cluster.WaitUntilConnectedAsync();
        await WaitForVotersAsync(cluster, 3);
        Assert.Equal("1, 3, 4", cluster[2].Store.SerialStatus.Voters.ToString());
    }

    [Fact]
    public async Task Operator_begins_the_serial_transactions_anew_after_a_majority_was_lost_and_not_before()
    {
        await using var cluster = await StartAsync(3);
        await WaitForVotersAsync(cluster, 3);
        await cluster[1].Store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster[1].Store.RecoverSerialAsync(Token));
        Assert.Contains("Nothing was changed", e.Message, StringComparison.Ordinal);
        await cluster[3].Node.DisposeAsync();
        await cluster[2].Node.DisposeAsync();
        await TestCluster.WaitUntilAsync(() => cluster[1].Store.SerialStatus.Sequencer is null, "node 1 knows of no sequencer");
        await cluster[1].Store.RetireAsync(2, Token);
        var missing = await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token));
        Assert.Contains("2 of 3 voters (nodes 1 and 3; node 2 was retired)", missing.Message, StringComparison.Ordinal);
        await cluster[1].Store.RetireAsync(3, Token);
        missing = await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token));
        Assert.Contains("2 of 3 voters (node 1; nodes 2 and 3 were retired)", missing.Message, StringComparison.Ordinal);
        await TestCluster.WaitUntilAsync(async () =>
        {
            try
            {
                await cluster[1].Store.RecoverSerialAsync(Token);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }, "the serial transactions begin anew");
        await cluster[1].Store.CommitAsync(PutOf(1, 2), Consistency.Serial, Token);
        Assert.Equal(2, await ReadAsync(cluster[1].Store, 1));
        await AddAsync(cluster, 4);
        await TestCluster.WaitUntilAsync(() => cluster[4].Store.SerialStatus is { VoterCount: 2, Sequencer: 1 }, "node 4 follows and votes");
        await cluster[4].Store.CommitAsync(PutOf(1, 3), Consistency.Serial, Token);
        Assert.False(cluster[4].Log.Contains("begun anew"));
    }

    [Fact]
    public async Task Operator_has_to_retire_absent_nodes_before_the_serial_transactions_begin_anew()
    {
        await using var cluster = await StartAsync(4);
        await WaitForVotersAsync(cluster, 4);
        await cluster[3].Node.DisposeAsync();
        await cluster[2].Node.DisposeAsync();
        await TestCluster.WaitUntilAsync(() => cluster[1].Store.SerialStatus.Sequencer is null, "node 1 knows of no sequencer");
        var e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster[1].Store.RecoverSerialAsync(Token));
        Assert.Contains("Nodes 2 and 3 cannot be reached and are not retired.", e.Message, StringComparison.Ordinal);
        await cluster[1].Store.RetireAsync(2, Token);
        await cluster[1].Store.RetireAsync(3, Token);
        await cluster[1].Store.RecoverSerialAsync(Token);
        await cluster[1].Store.CommitAsync(PutOf(1, 1), Consistency.Serial, Token);
        await TestCluster.WaitUntilAsync(
            () => cluster[4].Log.Contains("Node 4 follows the serial transactions that node 1 has begun anew, because an operator has said"), "node 4 logs what has happened");
    }

    [Fact]
    public async Task Range_that_was_empty_when_it_was_read_must_still_be_empty()
    {
        await using var cluster = await StartAsync(3);
        await cluster[1].Store.CommitAsync(PutOf(1, 10), Consistency.Serial, Token);
        var empty = SerialRange.OfKeys(Accounts, KeyRange.All.After(KeyOf(1).Encoded), new RangeHash());
        await cluster[2].Store.CommitSerialAsync(new SerialTransaction(PutOf(1, 20), []) { Ranges = [empty] }, Token);
        await cluster[3].Store.CommitAsync(PutOf(2, 30), Consistency.Serial, Token);
        var e = await Assert.ThrowsAsync<SerialConflictException>(async () => await cluster[2].Store.CommitSerialAsync(new SerialTransaction(PutOf(1, 40), []) { Ranges = [empty] }, Token));
        Assert.Equal((RefusalReason.Range, -1, Accounts), (e.Refusal.Reason, e.Condition, e.Keyspace));
        Assert.StartsWith("A range of the keyspace 'accounts' has changed since it was read. Nothing was written.", e.Message, StringComparison.Ordinal);
        Assert.Equal(20, await ReadAsync(cluster[2].Store, 1));
    }

    [Fact]
    public async Task Value_of_a_unique_index_that_two_nodes_add_at_the_same_time_is_taken_by_one()
    {
        await using var cluster = await StartAsync(3);
        var unique = new UniqueIndex(Accounts, "value", [UniqueColumn.OfCell(DocumentPath.OfProperty("Name").Encoded, isNullable: true, default, [])]);
        var results = await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
        {
            try
            {
                await cluster[node].Store.CommitSerialAsync(new SerialTransaction(NamedOf(node), []) { UniqueIndexes = [unique] }, Token);
                return null;
            }
            catch (SerialConflictException e)
            {
                return e;
            }
        }, Token)));
        int winner = 1 + Array.FindIndex(results, static result => result is null);
        Assert.Equal(2, results.Count(static result => result is not null));
        foreach (var (index, e) in results.Index().Where(static result => result.Item is not null))
        {
            Assert.Equal((RefusalReason.Unique, "value", (DocumentKey?)KeyOf(winner), -1), (e!.Refusal.Reason, e.Refusal.Index, e.Refusal.Owner, e.Condition));
            Assert.StartsWith(
                $"The document {KeyOf(index + 1)} of the keyspace 'accounts' has the values that the document {KeyOf(winner)} has in the unique index 'value'.", e.Message, StringComparison.Ordinal);
        }

        static Transaction NamedOf(int key)
        {
            var content = new DocumentContentBuilder(16);
            content.Set(DocumentPath.OfProperty("Name").Encoded.Span, [0xA1, (byte)'a']);
            var transaction = new Transaction();
            transaction.Put(Accounts, KeyOf(key), content.Build());
            return transaction;
        }
    }

    [Fact]
    public async Task Numbers_that_three_nodes_ask_for_at_the_same_time_have_no_gaps()
    {
        const int PerNode = 5;
        await using var cluster = await StartAsync(3);
        var numbers = await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
        {
            var own = new List<long>();
            for (int i = 0; i < PerNode; i++)
            {
                var transaction = PutOf(0, node);
                var number = new SerialNumber("accounts", long.MaxValue, [NumberPlace.OfKey(0, KeyOf(0), part: 0)]);
                own.AddRange((await cluster[node].Store.CommitSerialAsync(new SerialTransaction(transaction, []) { Numbers = [number] }, Token)).Numbers);
                Assert.Equal(node, await ReadAsync(cluster[node].Store, (int)own[^1]));
            }
            return own;
        }, Token)));
        Assert.Equal(Enumerable.Range(1, 3 * PerNode).Select(static number => (long)number), numbers.SelectMany(static own => own).Order());
        var refused = new SerialTransaction(PutOf(0, 1), []) { Numbers = [new SerialNumber("accounts", 3 * PerNode, [NumberPlace.OfKey(0, KeyOf(0), part: 0)])] };
        var e = await Assert.ThrowsAsync<SerialConflictException>(async () => await cluster[2].Store.CommitSerialAsync(refused, Token));
        Assert.Equal(RefusalReason.NoNumber, e.Refusal.Reason);
        Assert.StartsWith("The sequence 'accounts' has no number left up to 15. Nothing was written.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_with_more_ranges_than_a_sequencer_takes_is_refused_before_it_is_sent()
    {
        await using var cluster = await StartAsync(1);
        var ranges = Enumerable.Repeat(SerialRange.OfKeys(Accounts, KeyRange.All, new RangeHash()), SerialRange.MaxRanges + 1).ToArray();
        var e = await Assert.ThrowsAsync<ArgumentException>(async () => await cluster[1].Store.CommitSerialAsync(new SerialTransaction(PutOf(1, 1), []) { Ranges = ranges }, Token));
        Assert.StartsWith("A serial transaction has 10001 ranges. The limit is 10000. Nothing was written.", e.Message, StringComparison.Ordinal);
    }

    static async Task IncrementAsync(ReplicatedStore store, int times)
    {
        for (int i = 0; i < times;)
        {
            await store.CatchUpAsync(Consistency.Serial, Token);
            var read = await ConditionAsync(store, 1);
            int value = (await ReadAsync(store, 1))!.Value;
            // The condition and the value may be of different moments, and then the condition does not hold.
            if (read != await ConditionAsync(store, 1))
                continue;
            try
            {
                await store.CommitSerialAsync(new SerialTransaction(PutOf(1, value + 1), [read]), Token);
                i++;
            }
            catch (SerialConflictException)
            {
                // Read again.
            }
        }
    }

    static Task WaitForVotersAsync(TestCluster cluster, int count) => TestCluster.WaitUntilAsync(
        () => cluster.Stores.All(store => store.SerialStatus is { Sequencer: not null } status && status.VoterCount == count), $"there are {count} voters and a sequencer");

    static async Task<TestCluster> StartAsync(int count)
    {
        var cluster = new TestCluster();
        for (int node = 1; node <= count; node++)
            await AddAsync(cluster, node);
        await cluster.WaitUntilConnectedAsync();
        return cluster;
    }

    static Task<TestCluster.TestNode> AddAsync(
        TestCluster cluster, int node, IStorage? storage = null, int maxVoters = 5, bool neverVotes = false, TimeSpan? timeout = null)
    {
        var options = new ReplicatedStoreOptions
        {
            ReportInterval = TimeSpan.FromMilliseconds(50),
            AcknowledgmentTimeout = timeout ?? TestCluster.Deadline,
            StopTimeout = TimeSpan.FromMilliseconds(500),
            MaxVoters = maxVoters,
            NeverVotes = neverVotes,
        };
        options.Declarations.Add(new KeyspaceDeclaration(Accounts, MergePolicy.Serial, []));
        return cluster.AddAsync(node, storage, options);
    }

    static Transaction PutOf(int key, int value)
    {
        var transaction = new Transaction();
        transaction.Put(Accounts, KeyOf(key), ContentOf(value));
        return transaction;
    }

    static DocumentKey KeyOf(int key) => key;

    static DocumentContent ContentOf(int value) => DocumentContent.OfRaw(Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    static async Task<SerialCondition> ConditionAsync(ReplicatedStore store, int key) =>
        new(Accounts, KeyOf(key), await store.Keyspace(Accounts).GetAsync(KeyOf(key), Token) is { } document ? ContentHash.Of(document) : null);

    static async Task<int?> ReadAsync(ReplicatedStore store, int key) => Number(await store.Keyspace(Accounts).GetAsync(KeyOf(key), Token));

    static int? Number(Document? document) =>
        document?.Value is { } value ? int.Parse(Encoding.UTF8.GetString(value.Span), CultureInfo.InvariantCulture) : null;
}
