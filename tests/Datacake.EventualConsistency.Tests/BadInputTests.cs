using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Invalid input of callers, which a store refuses before it stores anything.</summary>
public sealed class BadInputTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public static TheoryData<string, CounterIncrement[]> BadCounters => new()
    {
        { "no name", [new("", 1)] },
        { "half of a surrogate pair", [new("Stock\uD83D", 1)] },
        { "a name that is too long", [new(new string('s', DocumentPath.MaxPropertyLength + 1), 1)] },
        { "one counter twice", [new("Stock", 1), new("Stock", 2)] },
    };

    [Theory]
    [MemberData(nameof(BadCounters))]
    public async Task Transaction_with_an_invalid_counter_writes_nothing(string what, CounterIncrement[] counters)
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var transaction = new Transaction();
        transaction.Put("shop", 1, DocumentContent.Empty);
        transaction.Put("shop", 2, DocumentContent.Empty, counters);
        var refused = await Assert.ThrowsAnyAsync<ArgumentException>(
            async () => await cluster[1].Store.CommitAsync(transaction, Consistency.None, Canceled));
        Assert.True(refused.Message.Contains("counter", StringComparison.Ordinal), $"{what}: {refused.Message}");
        Assert.Equal(refused.Message.LastIndexOf("(Parameter", StringComparison.Ordinal), refused.Message.IndexOf("(Parameter", StringComparison.Ordinal));
        Assert.Null(await cluster[1].Store.Keyspace("shop").GetAsync(1, Canceled));
    }

    [Fact]
    public void Key_with_half_of_a_surrogate_pair_is_refused_without_the_name_of_an_inner_parameter()
    {
        var refused = Assert.Throws<ArgumentException>(() => DocumentKey.Of("a\uD800"));
        Assert.EndsWith("Remove it.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_whose_counters_exceed_the_message_limit_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var counters = Enumerable.Range(0, 1_000).Select(i => new CounterIncrement($"Stock{i}", 1)).ToArray();
        var transaction = new Transaction();
        for (int i = 0; i < 500; i++)
            transaction.Put("shop", i, DocumentContent.Empty, counters);
        var refused = await Assert.ThrowsAsync<TransactionLimitException>(async () => await cluster[1].Store.CommitAsync(transaction, Consistency.None, Canceled));
        Assert.True(refused.Length > refused.Limit);
        Assert.Null(refused.Key);
    }

    [Theory]
    [InlineData(1, 9)]    // too large when written
    [InlineData(2, 5)]    // too large after a merge
    public async Task Document_that_is_too_large_is_refused_by_name(int writes, int mebibytes)
    {
        await using var cluster = await TestCluster.StartAsync(1);
        TransactionLimitException? refused = null;
        for (int i = 0; i < writes; i++)
        {
            Assert.Null(refused);
            var content = new DocumentContentBuilder();
            content.Set(DocumentPath.OfProperty($"p{i}").Encoded.Span, new byte[mebibytes << 20]);
            var transaction = new Transaction();
            if (i == 0)
                transaction.Put("shop", 7, content.Build());
            else
                transaction.Update("shop", 7, content.Build());
            refused = await Record.ExceptionAsync(async () => await cluster[1].Store.CommitAsync(transaction, Consistency.None, Canceled)) as TransactionLimitException;
        }
        Assert.Equal(("shop", (DocumentKey)7, 8L << 20), (refused!.Keyspace, refused.Key!.Value, refused.Limit));
    }

    [Fact]
    public async Task Keyspace_names_that_peers_could_not_tell_apart_are_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        Assert.Throws<ArgumentException>(() => cluster[1].Store.Keyspace("cakes\uD83D"));
        Assert.Throws<ArgumentNullException>(() => cluster[1].Store.Keyspace(null!));
    }
}
