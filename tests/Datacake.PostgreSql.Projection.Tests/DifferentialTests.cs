using System.Globalization;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Testing;
using Datacake.Tests;

namespace Datacake.PostgreSql.Projection.Tests;

/// <summary>Random histories, during which the connection is killed, the projection moves, tables are dropped and nodes are cut off; after each part, the tables equal the store.</summary>
public class DifferentialTests
{
    const int Rounds = 6, Steps = 20, Ids = 40;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int, bool> Runs => [(1, false), (2, true), (3, false), (4, true), (5, false), (6, true)];

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Tables_equal_the_store_after_any_history(int seed, bool hasTables)
    {
        var random = new Random(seed);
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        string schema = TestServer.NewSchema();
        await using var first = new Restarting(() => StartAsync(cluster[0].Node, schema, hasTables));
        await using var second = new Restarting(() => StartAsync(cluster[1].Node, schema, hasTables));
        for (int round = 0; round < Rounds; round++)
        {
            await first.EnsureAsync();
            await second.EnsureAsync();
            for (int step = 0; step < Steps; step++)
            {
                switch (random.Next(16))
                {
                    case 0:
                        await TestServer.KillAsync(schema);
                        break;
                    case 1:
                        await (random.Next(2) == 0 ? first : second).StopAsync();
                        break;
                    case 2:
                        await first.EnsureAsync();
                        await second.EnsureAsync();
                        break;
                    case 3 when random.Next(4) == 0:
                        await TestServer.QueryAsync($"DROP TABLE IF EXISTS {schema}.orders CASCADE");
                        break;
                    case 4 when random.Next(3) == 0:
                        cluster.Cut(random.Next(3));
                        break;
                    case 5 or 6 or 7 or 8:
                        await ChangeAsync(cluster[random.Next(3)].Node, random, deletes: true);
                        break;
                    default:
                        await ChangeAsync(cluster[random.Next(3)].Node, random, deletes: false);
                        break;
                }
            }
            cluster.Heal();
            await first.EnsureAsync();
            await cluster.WaitUntilSameAsync(cancellationToken: Token);
            string[] expected = await StoredAsync(cluster[2].Node), seen = [];
            await Eventually.WaitUntilAsync(async () => Enumerable.SequenceEqual(expected, seen = await TryReadAsync(schema, hasTables)), Difference);

            string Difference() => $"""
                the table equals the store.
                Missing: {string.Join('\n', expected.Except(seen).Take(5))}
                Too much: {string.Join('\n', seen.Except(expected).Take(5))}
                {first.Status}
                {second.Status}
                """;
        }
    }

    static Task<PostgreSqlProjection> StartAsync(DatacakeNode node, string schema, bool hasTables) => TestServer.StartAsync(
        node, schema, p => p.Table(static db => db.Orders, t => _ = hasTables ? t.CollectionsAsTables() : t));

    static async Task ChangeAsync(DatacakeNode node, Random random, bool deletes)
    {
        await using var db = new ShopContext(node);
        for (int count = 1 + random.Next(4); count > 0; count--)
        {
            var id = Orders.Id(random.Next(Ids));
            var order = await db.Orders.FindAsync([id], Token);
            if (deletes)
            {
                if (order is not null)
                    db.Orders.Remove(order);
                continue;
            }
            if (order is null)
                db.Orders.Add(order = new Order { Id = id });
            order.Customer = $"customer {random.Next(1000)}";
            order.Total += random.Next(100) / 4m;
            order.State = (OrderState)random.Next(3);
            order.Views += random.Next(5);
            string tag = $"t{random.Next(6)}";
            if (!order.Tags.Remove(tag))
                order.Tags.Add(tag);
            order.Ratings[$"r{random.Next(4)}"] = random.Next(10);
            if (random.Next(3) == 0)
                order.Lines = [.. Enumerable.Range(0, random.Next(4)).Select(line => new OrderLine { Sku = $"s{line}", Quantity = random.Next(10) })];
        }
        try
        {
            await db.SaveChangesAsync(Consistency.None, Token);
        }
        catch (EntityConflictException)
        {
            // Another node has deleted an entity meanwhile.
        }
    }

    static async Task<string[]> StoredAsync(DatacakeNode node)
    {
        await using var db = new ShopContext(node);
        return [.. (await db.Orders.ToListAsync(Token)).Select(static order => string.Join(
            '|', order.Id, order.Customer, order.Total.ToString(CultureInfo.InvariantCulture), order.State, order.Views, string.Join(',', order.Tags.Order(StringComparer.Ordinal)),
            string.Join(',', order.Ratings.OrderBy(static rating => rating.Key, StringComparer.Ordinal).Select(static rating => $"{rating.Key}={rating.Value}")),
            string.Join(',', order.Lines.Select(static line => $"{line.Sku}*{line.Quantity}")))).Order(StringComparer.Ordinal)];
    }

    static async Task<string[]> TryReadAsync(string schema, bool hasTables)
    {
        string items = hasTables
            ? $"""
              (SELECT string_agg(value, ',' ORDER BY value COLLATE "C") FROM {schema}.orders_tags WHERE order_id = id),
              (SELECT string_agg(key || '=' || value, ',' ORDER BY key COLLATE "C") FROM {schema}.orders_ratings WHERE order_id = id),
              (SELECT string_agg(sku || '*' || quantity, ',' ORDER BY position) FROM {schema}.orders_lines WHERE order_id = id)
              """
            : """
              (SELECT string_agg(tag, ',' ORDER BY tag COLLATE "C") FROM jsonb_array_elements_text(tags) tag),
              (SELECT string_agg(r.key || '=' || r.value, ',' ORDER BY r.key COLLATE "C") FROM jsonb_each_text(ratings) r),
              (SELECT string_agg((l.value->>'Sku') || '*' || (l.value->>'Quantity'), ',' ORDER BY l.ordinality) FROM jsonb_array_elements(lines) WITH ORDINALITY l)
              """;
        try
        {
            string rows = await TestServer.QueryAsync($"SELECT id::text, customer, total::text, state, views, {items} FROM {schema}.orders");
            return rows.Length == 0 ? [] : [.. rows.Split('\n').Order(StringComparer.Ordinal)];
        }
        catch (Npgsql.PostgresException e) when (e.SqlState is Npgsql.PostgresErrorCodes.UndefinedTable)
        {
            return [];
        }
    }

    /// <summary>A projection that is stopped and started again.</summary>
    sealed class Restarting(Func<Task<PostgreSqlProjection>> start) : IAsyncDisposable
    {
        PostgreSqlProjection? _projection;

        public ProjectionStatus? Status => _projection?.Status[0];

        public async Task EnsureAsync() => _projection ??= await start();

        public async Task StopAsync()
        {
            if (_projection is not null)
                await _projection.DisposeAsync();
            _projection = null;
        }

        public async ValueTask DisposeAsync() => await StopAsync();
    }
}
