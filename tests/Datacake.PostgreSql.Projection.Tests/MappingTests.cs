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
        connection = "Hots=x;Password=secret";
        Assert.DoesNotContain("secret", await RefusedAsync("not one of Npgsql", static p => p.Table(static db => db.Orders)), StringComparison.Ordinal);

        async Task<string> RefusedAsync(string message, Action<ProjectionBuilder<ShopContext>> configure)
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(() => PostgreSqlProjection.StartAsync(() => new ShopContext(node.Node), connection, configure, Token));
            Assert.Contains(message, refused.Message, StringComparison.Ordinal);
            return refused.Message;
        }
    }

    static Task<string> ColumnsAsync(string schema, string table) => TestServer.QueryAsync(
        $"SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), '|' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{schema}.\"{table}\"'::regclass AND attnum > 0");
}
