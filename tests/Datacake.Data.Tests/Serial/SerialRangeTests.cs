using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>A booking of a room, of which two must not overlap: a rule that no index can express.</summary>
[Serial]
public sealed class Booking
{
    public string Id { get; set; } = Guid.NewGuid().ToString("N");

    [Index]
    public string Room { get; set; } = "";

    public int From { get; set; }

    public int To { get; set; }
}

public sealed partial class RoomContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("RoomBookings")]
    public partial Keyspace<Booking> Bookings { get; }

    /// <summary>Books a room if it is free. Returns true if it was.</summary>
    public async Task<bool> BookAsync(string room, int from, int to, CancellationToken cancellationToken) => await RunSerialAsync(async () =>
    {
        if (await Bookings.AnyAsync(booking => booking.Room == room && booking.From < to && from < booking.To, cancellationToken))
            return false;
        Bookings.Add(new Booking { Room = room, From = from, To = to });
        return true;
    }, maxAttempts: 1000, cancellationToken);
}

public class SerialRangeTests(StoreFixture store)
{
    public enum Search
    {
        Index,
        IndexCount,
        IndexBackward,
        IndexSkip,
        IndexRange,
        Keys,
        KeysBackward,
        Scan,
        ScanCount,
    }

    public static TheoryData<Search> Searches => [.. Enum.GetValues<Search>()];

    [Theory]
    [MemberData(nameof(Searches))]
    public async Task Entity_that_appears_in_a_search_is_a_conflict(Search search)
    {
        string room = NewText();
        for (int i = 1; i <= 3; i++)
            await AddAsync(new Booking { Id = $"{room}{i}", Room = room });
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        Assert.Equal(3, await CountAsync(db, search, room));
        db.Add(new Booking { Room = NewText() });
        await AddAsync(new Booking { Id = $"{room}2a", Room = room });
        var error = await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        Assert.Equal(("RoomBookings", null), (error.Keyspace, error.Key));
        Assert.StartsWith(
            $"The Booking entities that the work has searched{(search <= Search.IndexRange ? " by the index Room" : "")} have changed: one was added, changed, or deleted. Nothing was saved. ",
            error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Searches))]
    public async Task Entity_that_disappears_from_a_search_is_a_conflict(Search search)
    {
        string room = NewText();
        for (int i = 1; i <= 3; i++)
            await AddAsync(new Booking { Id = $"{room}{i}", Room = room });
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        Assert.Equal(3, await CountAsync(db, search, room));
        db.Add(new Booking { Room = NewText() });
        await using (var other = NewContext())
        {
            other.Remove((await other.Bookings.FindAsync([$"{room}2"], Token))!);
            await other.SaveChangesAsync(Token);
        }
        await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
    }

    [Theory]
    [MemberData(nameof(Searches))]
    public async Task Search_that_still_finds_the_same_is_no_conflict(Search search)
    {
        string room = NewText();
        for (int i = 1; i <= 3; i++)
            await AddAsync(new Booking { Id = $"{room}{i}", Room = room });
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        Assert.Equal(3, await CountAsync(db, search, room));
        Assert.Equal(3, await CountAsync(db, search, room));
        db.Add(new Booking { Id = $"{room}9", Room = room });
        Assert.Equal(1, await work.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Entity_outside_of_the_search_is_no_conflict()
    {
        string room = NewText();
        await AddAsync(new Booking { Room = room });
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        Assert.Equal(1, await CountAsync(db, Search.Index, room));
        db.Add(new Booking { Room = room });
        await AddAsync(new Booking { Room = NewText() });
        Assert.Equal(1, await work.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Search_for_texts_longer_than_any_key_is_checked()
    {
        string room = NewText(), limit = room + new string('x', 1000);
        await AddAsync(new Booking { Id = room, Room = room });
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        Assert.Equal(1, await db.Bookings.CountAsync(booking => booking.Id.CompareTo(room) >= 0 && booking.Id.CompareTo(limit) <= 0, Token));
        Assert.Equal(0, await db.Bookings.CountAsync(booking => booking.Room.CompareTo(limit) >= 0 && booking.Room.CompareTo(limit + "x") <= 0, Token));
        db.Add(new Booking { Id = room + "a" });
        Assert.Equal(1, await work.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Work_that_has_read_too_much_is_refused_and_says_so()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = new RoomContext(node))
        {
            for (int i = 0; i < 10_001; i++)
                db.Add(new Booking { Id = $"{i:00000}" });
            await db.SaveChangesAsync(Token);
        }
        await using var reader = new RoomContext(node);
        await using (var work = await reader.BeginSerialAsync(Token))
        {
            Assert.Equal(10_001, await reader.Bookings.CountAsync(Token));
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => work.SaveChangesAsync(Token));
            Assert.StartsWith("The queries of the serial unit of work have read more than can be checked", error.Message, StringComparison.Ordinal);
        }
        // An update of a query checks the entities that it has found.
        Assert.Equal(10_001, (await reader.Bookings.ExecuteUpdateAsync(set => set.SetProperty(booking => booking.To, 1), cancellationToken: Token)).Count);
    }

    [Fact]
    public async Task Rooms_that_three_nodes_book_at_the_same_time_are_never_booked_twice()
    {
        const int Hours = 12, PerNode = 10;
        await using var cluster = await SerialClusterTests.StartAsync(3);
        // Each node must have the index.
        for (int node = 1; node <= 3; node++)
        {
            await using var db = new RoomContext(cluster[node]);
            Assert.False(await db.Bookings.AnyAsync(Token));
        }
        int[] booked = await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
        {
            var random = new Random(node);
            int count = 0;
            for (int i = 0; i < PerNode; i++)
            {
                await using var db = new RoomContext(cluster[node]);
                int from = random.Next(Hours - 1);
                if (await db.BookAsync("blue", from, from + random.Next(1, 3), Token))
                    count++;
            }
            return count;
        }, Token)));
        await using var shown = new RoomContext(cluster[1]);
        var bookings = await shown.Bookings.WithConsistency(Consistency.Serial).OrderBy(booking => booking.From).ToListAsync(Token);
        Assert.Equal(booked.Sum(), bookings.Count);
        Assert.All(bookings.Zip(bookings.Skip(1)), pair => Assert.True(pair.First.To <= pair.Second.From, "two bookings overlap"));
        Assert.InRange(bookings.Count, 3, Hours);
    }

    static async Task<int> CountAsync(RoomContext db, Search search, string room)
    {
        var all = db.Bookings.AsNoTracking();
        return search switch
        {
            Search.Index => (await all.Where(booking => booking.Room == room).ToListAsync(Token)).Count,
            Search.IndexCount => await all.CountAsync(booking => booking.Room == room, Token),
            Search.IndexBackward => (await all.Where(booking => booking.Room == room).OrderByDescending(booking => booking.Room).ToListAsync(Token)).Count,
            Search.IndexSkip => (await all.Where(booking => booking.Room == room).Skip(2).Take(5).ToListAsync(Token)).Count + 2,
            Search.IndexRange => (await all.Where(booking => booking.Room.StartsWith(room)).ToListAsync(Token)).Count,
            Search.Keys => (await all.Where(booking => booking.Id.StartsWith(room)).ToListAsync(Token)).Count,
            Search.KeysBackward => (await all.Where(booking => booking.Id.StartsWith(room)).OrderByDescending(booking => booking.Id).ToListAsync(Token)).Count,
            Search.Scan => (await all.ToListAsync(Token)).Count(booking => booking.Room == room),
            _ => await all.CountAsync(booking => booking.Room.EndsWith(room), Token),
        };
    }

    async Task AddAsync(Booking booking)
    {
        await using var db = NewContext();
        db.Add(booking);
        await db.SaveChangesAsync(Token);
    }

    RoomContext NewContext() => new(store.Node);

    static string NewText() => Guid.NewGuid().ToString("N");

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
