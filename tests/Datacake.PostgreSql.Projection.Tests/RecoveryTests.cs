using Datacake.EventualConsistency;
using Datacake.PostgreSql.Projection.Writing;
using Datacake.Testing;
using Datacake.Tests;
using Npgsql;

namespace Datacake.PostgreSql.Projection.Tests;

public class RecoveryTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Projection_continues_after_its_connection_was_killed_without_another_load()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using var projection = await StartAsync(node, schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");
        for (int number = 2; number <= 5; number++)
        {
            await TestServer.KillAsync(schema);
            await ShopContext.PutAsync(node.Node, Orders.Of(number, "x"));
            await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.orders", $"{number}");
        }
        Assert.Equal(1, projection.Status[0].Loads);
    }

    [Fact]
    public async Task Projection_waits_for_a_database_that_is_down_and_shows_the_error()
    {
        await using var server = await StartServerAsync();
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        await server.StopAsync();
        await using var projection = await PostgreSqlProjection.StartAsync(
            () => new ShopContext(node.Node), server.ConnectionString, static p => p.Schema("bi").MaxRetryDelay(TimeSpan.FromMilliseconds(100)).Table(static db => db.Orders), Token);
        await Eventually.WaitUntilAsync(() => projection.Status[0] is { State: ProjectionState.Failed, LastError: NpgsqlException }, "the error is shown");

        await server.ResumeAsync();
        await Eventually.WaitUntilAsync(() => projection.Status[0] is { State: ProjectionState.Following, LastError: null }, "the table is kept");
        await server.CrashAsync();
        await ShopContext.PutAsync(node.Node, Orders.Of(2, "b"));
        await ShopContext.DeleteAsync(node.Node, Orders.Id(1));
        await Eventually.WaitUntilAsync(() => projection.Status[0] is { State: ProjectionState.Failed, Lag: not null }, "the error is shown");
        await server.ResumeAsync();
        await Eventually.WaitUntilAsync(async () => await server.QueryAsync("SELECT string_agg(customer, ',') FROM bi.orders") == "b", "the table has the changes");
        Assert.Equal(1, projection.Status[0].Loads);
    }

    [Fact]
    public async Task Projection_continues_after_a_restart_from_the_position_in_the_database()
    {
        await using var cluster = await TestCluster.StartAsync(1, cancellationToken: Token);
        await ShopContext.PutAsync(cluster[0].Node, Orders.Of(1, "a"), Orders.Of(2, "b"));
        string schema = TestServer.NewSchema();
        await using (await StartAsync(cluster[0], schema))
            await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
        await ShopContext.PutAsync(cluster[0].Node, Orders.Of(3, "c"));
        await ShopContext.DeleteAsync(cluster[0].Node, Orders.Id(1));
        await cluster.StopAsync(0);
        await cluster.StartAsync(0);

        await using var projection = await StartAsync(cluster[0], schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "b,c");
        Assert.Equal(0, projection.Status[0].Loads);
    }

    [Fact]
    public async Task Database_that_was_restored_to_an_earlier_state_catches_up()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"), Orders.Of(2, "b"));
        string schema = TestServer.NewSchema();
        await using (await StartAsync(node, schema))
        {
            await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
            await TestServer.QueryAsync($"CREATE TABLE {schema}.backup AS SELECT * FROM {schema}.orders; CREATE TABLE {schema}.backup_position AS SELECT * FROM {schema}.datacake_projection");
            await ShopContext.DeleteAsync(node.Node, Orders.Id(1));
            await ShopContext.PutAsync(node.Node, Orders.Of(3, "c"));
            await TestServer.WaitForAsync(Orders.Customers(schema), "b,c");
        }
        await TestServer.QueryAsync(
            $"DELETE FROM {schema}.orders; INSERT INTO {schema}.orders SELECT * FROM {schema}.backup; UPDATE {schema}.datacake_projection SET position = (SELECT position FROM {schema}.backup_position)");
        Assert.Equal("a,b", await TestServer.QueryAsync(Orders.Customers(schema)));

        await using var projection = await StartAsync(node, schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "b,c");
    }

    [Fact]
    public async Task Gap_in_the_log_loads_the_table_again_and_deletes_rows_that_no_longer_exist()
    {
        await using var node = await TestNode.StartAsync(static options => options.WithStore(static store => store.ConsumerRetention = TimeSpan.Zero), Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"), Orders.Of(2, "b"));
        string schema = TestServer.NewSchema();
        await using (await StartAsync(node, schema))
            await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
        await ShopContext.DeleteAsync(node.Node, Orders.Id(1));
        await ShopContext.PutAsync(node.Node, Orders.Of(3, "c"));
        Assert.True(WatchPosition.TryParse(await TestServer.QueryAsync($"SELECT position FROM {schema}.datacake_projection"), out var position));
        await Eventually.WaitUntilAsync(() => HasGapAsync(node.Store, position!), "the log is truncated");

        await using var projection = await StartAsync(node, schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "b,c");
        await Eventually.WaitUntilAsync(() => projection.Status[0].Loads > 0, "the load is counted");
    }

    [Fact]
    public async Task Position_that_the_store_does_not_know_loads_the_table_again()
    {
        await using var former = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(former.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using (await StartAsync(former, schema))
            await TestServer.WaitForAsync(Orders.Customers(schema), "a");
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(2, "b"));

        await using var projection = await StartAsync(node, schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "b");
    }

    [Fact]
    public async Task One_node_keeps_the_table_and_another_takes_over_when_it_fails()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        await ShopContext.PutAsync(cluster[2].Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using var first = await StartAsync(cluster[0], schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");
        await Eventually.WaitUntilAsync(() => first.Status[0].State == ProjectionState.Following, "node 0 keeps the table");
        await using var second = await StartAsync(cluster[1], schema);
        await ShopContext.PutAsync(cluster[2].Node, Orders.Of(2, "b"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
        Assert.Equal((ProjectionState.Waiting, 0L), (second.Status[0].State, second.Status[0].RowsWritten));
        await Eventually.WaitUntilAsync(() => cluster[2].Store.SerialStatus.Voters.Count == 3, "a majority of the voters remains without node 0");

        await cluster.StopAbruptlyAsync(0);
        await using (var db = new ShopContext(cluster[2].Node))
        {
            db.Orders.Put(Orders.Of(3, "c"));
            await db.SaveChangesAsync(Consistency.Quorum, Token);
        }
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b,c");
        Assert.Equal((ProjectionState.Following, 0L), (second.Status[0].State, second.Status[0].Loads));
    }

    [Fact]
    public async Task Former_owner_cannot_write()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using var projection = await StartAsync(node, schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");

        await TestServer.QueryAsync($"UPDATE {schema}.datacake_projection SET epoch = {long.MaxValue}");
        await ShopContext.PutAsync(node.Node, Orders.Of(2, "b"));
        await Eventually.WaitUntilAsync(
            () => projection.Status[0] is { State: ProjectionState.Failed, LastError: { } error } && error.Message.Contains("another node has taken it over", StringComparison.Ordinal), "the error is shown");
        Assert.Equal("a", await TestServer.QueryAsync(Orders.Customers(schema)));
        await TestServer.QueryAsync($"DELETE FROM {schema}.datacake_projection");
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
    }

    [Fact]
    public async Task Locks_of_a_suspended_owner_do_not_stop_the_next_one()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using (await StartAsync(node, schema))
            await TestServer.WaitForAsync(Orders.Customers(schema), "a");
        await using var source = NpgsqlDataSource.Create($"{TestServer.ConnectionString};Application Name={ProjectionDatabase.ApplicationNameOf("projection", schema, "Orders")}");
        await using var suspended = await source.OpenConnectionAsync(Token);
        await using var transaction = await suspended.BeginTransactionAsync(Token);
        await using (var locking = new NpgsqlCommand($"UPDATE {schema}.datacake_projection SET updated_at = now(); UPDATE {schema}.orders SET customer = 'wrong'", suspended))
            await locking.ExecuteNonQueryAsync(Token);

        await ShopContext.PutAsync(node.Node, Orders.Of(1, "A"));
        await using var projection = await StartAsync(node, schema);
        await TestServer.WaitForAsync(Orders.Customers(schema), "A");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Token));
    }

    /// <summary>Starts a server of the test's own.</summary>
    static async Task<PostgreSqlServer> StartServerAsync()
    {
        _ = TestServer.ConnectionString;
        return await PostgreSqlServer.StartAsync();
    }

    static Task<PostgreSqlProjection> StartAsync(TestNode node, string schema) => TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders));

    static async Task<bool> HasGapAsync(ReplicatedStore store, WatchPosition position)
    {
        await using var watch = store.Keyspace("Orders").WatchAsync(position, Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Eventually.Deadline, Token));
        return watch.Current.HasGap;
    }
}
