using System.Security.Cryptography;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>A cluster in which only the owner of an operator's private key can retire members [R19].</summary>
public sealed class OperatorKeyTests : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake");
    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly ECDsa _wrongKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    string[] _publicKeys;

    public OperatorKeyTests() => _publicKeys = [_key.ExportSubjectPublicKeyInfoPem()];

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        _key.Dispose();
        _wrongKey.Dispose();
    }

    [Fact]
    public async Task Member_is_retired_everywhere_with_the_key_and_nowhere_without_it()
    {
        await using var nodes = await StartAsync();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await nodes[1].Store.RetireAsync(3, Canceled));
        Assert.Contains("RetireAsync with the key", failure.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.RetireAsync(3, _wrongKey, Canceled));
        Assert.Contains("The key is not one of the keys that may retire members", wrong.Message, StringComparison.Ordinal);
        await nodes[2].PutAsync(1, "of all", Consistency.All);

        await nodes[1].Store.RetireAsync(3, _key, Canceled);
        await Eventually.WaitUntilAsync(() => nodes[3].Store.Exclusion is not null, "node 3 knows that it is retired");
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(2, "of two", Consistency.All);
    }

    [Fact]
    public async Task Store_is_released_with_the_key_and_not_without_it()
    {
        await using var nodes = await StartAsync();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await nodes[3].Store.ReleaseAsync(cancellationToken: Canceled));
        Assert.Contains("cannot be released without an operator's private key", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[3].Store.ReleaseAsync(new ReleaseOptions { OperatorKey = _wrongKey }, Canceled));
        await nodes[3].PutAsync(1, "of node 3", Consistency.None);

        await nodes[3].Store.ReleaseAsync(new ReleaseOptions { OperatorKey = _key }, Canceled);

        Assert.NotNull(nodes[3].Store.Exclusion);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(2, "of two", Consistency.All);
        Assert.NotNull(await nodes[1].Cakes.GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Proof_survives_restarts_and_convinces_members_that_were_away()
    {
        await using var nodes = await StartAsync();
        await nodes[2].StopAsync();
        await nodes[1].Store.RetireAsync(3, _key, Canceled);
        await nodes[1].StopAsync();
        await nodes[3].StopAsync();
        foreach (int id in new[] { 1, 2, 3 })
            await StartNodeAsync(nodes, id);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await Eventually.WaitUntilAsync(() => nodes[3].Store.Exclusion is not null, "node 3 knows that it is retired");
    }

    [Fact]
    public async Task Empty_disk_joins_once_the_previous_store_of_its_id_is_retired_with_the_key()
    {
        await using var nodes = await StartAsync();
        await nodes[1].PutAsync(1, "of all", Consistency.All);
        await nodes[3].StopAsync();
        nodes[3].OpenDisk = () => new SqliteStorage(Path.Combine(_directory.FullName, "empty.db"));
        await StartNodeAsync(nodes, 3);
        Assert.Contains("retire the node first, with the operator's key", await nodes.WaitUntilRefusedAsync(1, 3), StringComparison.Ordinal);
        await nodes[1].Store.RetireAsync(3, _key, Canceled);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        Assert.Equal("of all", await nodes[3].GetAsync(1));
    }

    [Fact]
    public async Task Node_with_operator_keys_and_TakeOverNodeId_does_not_start()
    {
        await using var nodes = new ScenarioNodes();
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => nodes.StartNodeAsync(1, store => store.TakeOverNodeId = true, Configure(nodes, 1)));
        Assert.Contains("TakeOverNodeId is not supported on a node that has operator keys", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_memory_node_with_operator_keys_does_not_start()
    {
        await using var nodes = new ScenarioNodes();
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => nodes.StartNodeAsync(1, configure: Configure(nodes, 1)));
        Assert.Contains("In-memory storage is not supported on a node that has operator keys", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_that_cannot_be_checked_or_cannot_sign_is_refused()
    {
        await using var nodes = await StartAsync();
        using var half = ECDsa.Create();
        half.ImportSubjectPublicKeyInfo(_key.ExportSubjectPublicKeyInfo(), out _);
        var failure = await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.RetireAsync(3, half, Canceled));
        Assert.Contains("Use the private key, not the public key", failure.Message, StringComparison.Ordinal);

        await using var keyless = await ScenarioNodes.StartAsync(2);
        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await keyless[1].Store.RetireAsync(2, _key, Canceled));
        Assert.Contains("This node has no operator keys", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Member_retired_before_the_keys_were_set_stays_out_and_new_nodes_refuse_it_once_signed()
    {
        _publicKeys = [];
        await using var nodes = await StartAsync();
        await nodes[1].Store.RetireAsync(3, Canceled);
        await nodes.WaitUntilConnectedAsync(1, 2);
        foreach (int id in new[] { 1, 2, 3 })
            await nodes[id].StopAsync();

        _publicKeys = [_key.ExportSubjectPublicKeyInfoPem()];
        foreach (int id in new[] { 1, 2 })
            await StartNodeAsync(nodes, id);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.SignRetirementsAsync(_wrongKey, Canceled));
        Assert.Equal(1, await nodes[1].Store.SignRetirementsAsync(_key, Canceled));
        Assert.Equal(0, await nodes[1].Store.SignRetirementsAsync(_key, Canceled));
        nodes[4].OpenDisk = () => new SqliteStorage(Path.Combine(_directory.FullName, "node4.db"));
        await StartNodeAsync(nodes, 4);
        await nodes.WaitUntilConnectedAsync(1, 2, 4);
        await StartNodeAsync(nodes, 3);
        await nodes.WaitUntilRefusedAsync(3, 1);
        await nodes.WaitUntilRefusedAsync(3, 4);
        await nodes[4].PutAsync(1, "of three", Consistency.All);
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    public void Text_that_is_not_a_key_is_refused(string text) =>
        Assert.Contains("public ECDSA key", Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithOperatorKeys(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Private_key_is_refused_with_advice_to_keep_it_off_the_nodes() => Assert.Contains(
        "The operator key is a private key",
        Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithOperatorKeys(_key.ExportPkcs8PrivateKeyPem())).Message, StringComparison.Ordinal);

    [Fact]
    public void Private_key_in_one_line_is_recognized_too() => Assert.All(
        new[] { _key.ExportPkcs8PrivateKey(), _key.ExportECPrivateKey() },
        key => Assert.Contains(
            "The operator key is a private key",
            Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithOperatorKeys(Convert.ToBase64String(key))).Message, StringComparison.Ordinal));

    [Fact]
    public void Key_can_be_a_PEM_file_or_one_line()
    {
        new DatacakeNodeOptions().WithOperatorKeys(_key.ExportSubjectPublicKeyInfoPem(), Convert.ToBase64String(_wrongKey.ExportSubjectPublicKeyInfo()));
        Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithOperatorKeys());
    }

    async Task<ScenarioNodes> StartAsync()
    {
        var nodes = new ScenarioNodes();
        foreach (int id in new[] { 1, 2, 3 })
        {
            nodes[id].OpenDisk = () => new SqliteStorage(Path.Combine(_directory.FullName, $"node{id}.db"));
            await StartNodeAsync(nodes, id);
        }
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        return nodes;
    }

    Task<ReplicatedStore> StartNodeAsync(ScenarioNodes nodes, int id) => nodes.StartNodeAsync(id, configure: Configure(nodes, id));

    Action<DatacakeNodeOptions> Configure(ScenarioNodes nodes, int id) =>
        options =>
        {
            options.ListenOn(nodes[id].Address);
            if (_publicKeys.Length > 0)
                options.WithOperatorKeys(_publicKeys);
        };
}
