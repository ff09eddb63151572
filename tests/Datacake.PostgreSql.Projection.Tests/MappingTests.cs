using Datacake.EventualConsistency;
using Datacake.Testing;

namespace Datacake.PostgreSql.Projection.Tests;

public class MappingTests
{
    static readonly Order Full = new()
    {
        Id = new("11111111-2222-3333-4444-555555555555"),
        Customer = "Ada",
        Total = 12.50m,
        State = OrderState.Paid,
        PlacedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)),
        DueOn = new(2026, 2, 3),
        Took = new(1, 2, 3, 4),
        Signature = [1, 255],
        Weight = 1.5,
        IsGift = true,
        Contact = new("ada@example.org"),
        Views = 7,
        ShipTo = new("Köln", null),
        Tags = ["b", "a"],
        Ratings = new() { ["x"] = 1, ["y"] = 2 },
        Lines = [new() { Sku = "A", Quantity = 2, Price = 3.5m }, new() { Sku = "B", Quantity = 1 }],
    };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Properties_have_columns_of_natural_types()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Full, new Order());
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders));

        await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.orders", "2");
        Assert.Equal(
            "id uuid|customer text|total numeric|state text|placed_at timestamp with time zone|due_on date|took interval|signature bytea|weight double precision|is_gift boolean|contact text|views bigint|"
                + "ship_to jsonb|tags jsonb|ratings jsonb|lines jsonb",
            await ColumnsAsync(schema, "orders"));
        Assert.Equal(
            """
            11111111-2222-3333-4444-555555555555|Ada|12.50|Paid|2026-01-02 01:04:05|2026-02-03|1 day 02:03:04|\x01ff|1.5|true|ada@example.org|7|{"Zip": null, "City": "Köln"}|["a", "b"]|{"x": 1, "y": 2}|[{"Sku": "A", "Price": 3.5, "Quantity": 2}, {"Sku": "B", "Price": null, "Quantity": 1}]
            """,
            await TestServer.QueryAsync(
                $"SELECT id, customer, total::text, state, (placed_at AT TIME ZONE 'UTC')::text, due_on::text, took::text, signature::text, weight, is_gift::text, contact, views, ship_to, "
                    + $"(SELECT jsonb_agg(e ORDER BY e) FROM jsonb_array_elements(tags) e), ratings, lines FROM {schema}.orders WHERE customer = 'Ada'"));
        Assert.Equal("||[]|{}|[]", await TestServer.QueryAsync($"SELECT due_on, ship_to, tags, ratings, lines FROM {schema}.orders WHERE customer = ''"));
        Assert.Equal("11111111-2222-3333-4444-555555555555", await TestServer.QueryAsync($"SELECT id FROM {schema}.orders WHERE tags ? 'a' AND ship_to->>'City' = 'Köln'"));
    }

    [Fact]
    public async Task Collections_are_child_tables_and_a_view_if_chosen()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Full);
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders, static t => t.CollectionsAsTables().OwnedAsColumns()));

        await TestServer.WaitForAsync($"SELECT customer, ship_to_city, ship_to_zip FROM {schema}.orders", "Ada|Köln|");
        Assert.Equal("order_id uuid|value text", await ColumnsAsync(schema, "orders_tags"));
        Assert.Equal("order_id uuid|key text|value integer", await ColumnsAsync(schema, "orders_ratings"));
        Assert.Equal("order_id uuid|position integer|sku text|quantity integer|price numeric", await ColumnsAsync(schema, "orders_lines"));
        Assert.Equal("a\nb", await TestServer.QueryAsync($"SELECT value FROM {schema}.orders_tags ORDER BY 1"));
        Assert.Equal("x|1\ny|2", await TestServer.QueryAsync($"SELECT key, value FROM {schema}.orders_ratings ORDER BY 1"));
        Assert.Equal("1|A|2|3.5\n2|B|1|", await TestServer.QueryAsync($"SELECT position, sku, quantity, price FROM {schema}.orders_lines ORDER BY 1"));
        Assert.Equal(
            """["a", "b"]|{"x": 1, "y": 2}|[{"sku": "A", "price": 3.5, "quantity": 2}, {"sku": "B", "price": null, "quantity": 1}]""",
            await TestServer.QueryAsync($"SELECT tags, ratings, lines FROM {schema}.orders_all"));

        await ShopContext.PutAsync(node.Node, new Order { Id = Full.Id, Customer = "Bob", Tags = ["c"] }, new Order { Tags = ["d"] });
        await TestServer.WaitForAsync($"SELECT o.customer, t.value FROM {schema}.orders o JOIN {schema}.orders_tags t ON t.order_id = o.id ORDER BY 1", "|d\nBob|c");
        Assert.Equal("0", await TestServer.QueryAsync($"SELECT count(*) FROM {schema}.orders_lines"));
        await ShopContext.DeleteAsync(node.Node, Full.Id);
        await TestServer.WaitForAsync($"SELECT value FROM {schema}.orders_tags", "d");
        await TestServer.QueryAsync($"DELETE FROM {schema}.orders");
        Assert.Equal("", await TestServer.QueryAsync($"SELECT value FROM {schema}.orders_tags"));
    }

    [Fact]
    public async Task Values_of_all_types_are_columns_or_json()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using (var db = new ShopContext(node.Node))
        {
            db.Samples.Put(new Sample { Id = 1 });
            db.Samples.Put(new Sample
            {
                Id = 2,
                Numbers = [1, null],
                Words = ["a\0b", "\"é\""],
                States = [OrderState.Paid],
                Nested = [[1, 2], []],
                ByState = new() { [OrderState.Paid] = new() { Sku = "A", Quantity = 1 } },
                ByDay = new() { [new(2026, 2, 3)] = ["x"] },
                Doubles = [0.5, double.NaN],
                Times = [new(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2))],
                Spans = [new(1, 2, 3, 4)],
                Blobs = [[1, 2]],
                Ids = [Full.Id],
                Large = ulong.MaxValue,
                Letter = 'x',
                Hour = new(4, 5, 6),
                Small = -1,
                Count = uint.MaxValue,
                Share = 0.25f,
                Price = 1.10m,
                State = OrderState.Shipped,
                Box = new() { Name = "b", Codes = [1], Weights = new() { ["w"] = 1.5 }, Uses = 3, From = new("Köln", "1") },
            });
            await db.SaveChangesAsync(Consistency.None, Token);
        }
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Samples));
        await using var other = await TestServer.StartAsync(
            node.Node, schema, static p => p.Name("tables").Table(static db => db.Samples, static t => t.Name("others").CollectionsAsTables().OwnedAsColumns().EnumsAsIntegers()));

        await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.samples", "2");
        Assert.Equal(
            "[]|[]||[]|{}|[]|0|\uFFFD|2026-01-02 03:04:05|00:00:00|0|0|0|||",
            await TestServer.QueryAsync(
                $"SELECT numbers, words, states, nested, by_state, doubles, large::text, letter, (time AT TIME ZONE 'UTC')::text, hour::text, small, count, share, price, state, box FROM {schema}.samples WHERE id = 1"));
        Assert.Equal(
            """
            [1, null]|["a�b", "\"é\""]|["Paid"]|[[1, 2], []]|{"Paid": {"Sku": "A", "Price": null, "Quantity": 1}}|{"2026-02-03": ["x"]}|[0.5, "NaN"]|["2026-01-02T01:04:05Z"]|["P1DT2H3M4S"]|["AQI="]|["11111111-2222-3333-4444-555555555555"]
            """,
            await TestServer.QueryAsync($"SELECT numbers, words, states, nested, by_state, by_day, doubles, times, spans, blobs, ids FROM {schema}.samples WHERE id = 2"));
        Assert.Equal(
            """18446744073709551615|x|04:05:06|-1|4294967295|0.25|1.10|Shipped|{"From": {"Zip": "1", "City": "Köln"}, "Name": "b", "Uses": 3, "Codes": [1], "Weights": {"w": 1.5}}""",
            await TestServer.QueryAsync($"SELECT large::text, letter, hour::text, small, count, share, price::text, state, box FROM {schema}.samples WHERE id = 2"));

        await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.others_all", "2");
        Assert.Equal("2|b|3|Köln|1", await TestServer.QueryAsync($"SELECT state, box_name, box_uses, box_from_city, box_from_zip FROM {schema}.others WHERE id = 2"));
        Assert.Equal("1|1\n2|", await TestServer.QueryAsync($"SELECT position, value FROM {schema}.others_numbers ORDER BY 1"));
        Assert.Equal("1|[1, 2]\n2|[]", await TestServer.QueryAsync($"SELECT position, value FROM {schema}.others_nested ORDER BY 1"));
        Assert.Equal("2|1|A|1|", await TestServer.QueryAsync($"SELECT sample_id, key, sku, quantity, price FROM {schema}.others_by_state"));
        Assert.Equal("2026-02-03|[\"x\"]", await TestServer.QueryAsync($"SELECT key::text, value FROM {schema}.others_by_day"));
        Assert.Equal("1|w", await TestServer.QueryAsync($"SELECT c.value, w.key FROM {schema}.others_box_codes c JOIN {schema}.others_box_weights w USING (sample_id)"));
        Assert.Equal(
            """{"1": {"sku": "A", "price": null, "quantity": 1}}|[1, null]|{"2026-02-03": ["x"]}""",
            await TestServer.QueryAsync($"SELECT by_state, numbers, by_day FROM {schema}.others_all WHERE id = 2"));
    }

    [Fact]
    public async Task Names_and_types_can_be_chosen_and_properties_left_out()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Full);
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders, static t => t
            .Name("Bestellungen").EnumsAsIntegers().Column(static o => o.Total, "amount").Column(static o => o.ShipTo!.City, "town").OwnedAsColumns()
            .Ignore(static o => o.Customer).Ignore(static o => o.Lines).Ignore(static o => o.Contact)));

        await TestServer.WaitForAsync($"""SELECT amount, state, town, views FROM {schema}."Bestellungen" """, "12.50|1|Köln|7");
        Assert.Equal(
            "id uuid|amount numeric|state integer|placed_at timestamp with time zone|due_on date|took interval|signature bytea|weight double precision|is_gift boolean|views bigint|town text|ship_to_zip text|"
                + "tags jsonb|ratings jsonb",
            await ColumnsAsync(schema, "Bestellungen"));
    }

    [Fact]
    public async Task Derived_classes_share_a_table_with_a_discriminator()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await using (var db = new ShopContext(node.Node))
        {
            db.Products.Put(new Product { Maker = "m", Number = 1, Name = "plain" });
            db.Products.Put(new Gadget { Maker = "m", Number = 2, Name = "null\0character", Volts = 12 });
            await db.SaveChangesAsync(Consistency.None, Token);
        }
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Products));

        await TestServer.WaitForAsync($"SELECT maker, number, discriminator, name, volts FROM {schema}.products ORDER BY 2", "m|1|Product|plain|\nm|2|Gadget|null\uFFFDcharacter|12");
        await using (var db = new ShopContext(node.Node))
        {
            db.Products.Remove(new Gadget { Maker = "m", Number = 2 });
            await db.SaveChangesAsync(Consistency.None, Token);
        }
        await TestServer.WaitForAsync($"SELECT number FROM {schema}.products", "1");
    }

    [Fact]
    public async Task Invalid_choices_are_refused_at_the_start()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        string connection = TestServer.ConnectionString;

        await RefusedAsync("no tables", static _ => { });
        await RefusedAsync("several tables 'orders'", static p => p.Table(static db => db.Orders).Table(static db => db.Products, static t => t.Name("orders")));
        await RefusedAsync("several columns 'total'", static p => p.Table(static db => db.Orders, static t => t.Column(static o => o.Customer, "total")));
        await RefusedAsync("a part of the key", static p => p.Table(static db => db.Orders, static t => t.Ignore(static o => o.Id)));
        await RefusedAsync("not a property", static p => p.Table(static db => db.Orders, static t => t.Ignore(static o => o.Customer + "x")));
        await RefusedAsync("longer than 63 bytes", static p => p.Table(static db => db.Orders, static t => t.Name(new string('a', 64))));
        await RefusedAsync("duration", static p => p.LeaseDuration(TimeSpan.Zero).Table(static db => db.Orders));
        connection = "Hots=x;Password=secret";
        Assert.DoesNotContain("secret", await RefusedAsync("not one of Npgsql", static p => p.Table(static db => db.Orders)), StringComparison.Ordinal);

        async Task<string> RefusedAsync(string message, Action<ProjectionBuilder<ShopContext>> configure)
        {
            var refused = await Assert.ThrowsAnyAsync<ArgumentException>(() => PostgreSqlProjection.StartAsync(() => new ShopContext(node.Node), connection, configure, Token));
            Assert.Contains(message, refused.Message, StringComparison.Ordinal);
            return refused.Message;
        }
    }

    static Task<string> ColumnsAsync(string schema, string table) => TestServer.QueryAsync(
        $"SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), '|' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{schema}.\"{table}\"'::regclass AND attnum > 0");
}
