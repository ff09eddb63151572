using System.Globalization;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Quickstart;

/// <summary>The story that the sample tells: three nodes share the records that .NET knows of the world, through a cut cable and a crash.</summary>
sealed class Scenario
{
    const int ChangesDuringCrash = 25;

    readonly Options _options;
    readonly Cluster _cluster;
    readonly World _world;
    readonly Transcript _transcript;
    long _bytesOfEverything;        // received by node 2 when all records were saved

    Scenario(Options options, Cluster cluster, World world, Transcript transcript)
    {
        _options = options;
        _cluster = cluster;
        _world = world;
        _transcript = transcript;
    }

    /// <exception cref="ClaimFailedException">A claim of the story is false.</exception>
    public static async Task RunAsync(Options options, string dataFolder, Transcript transcript)
    {
        if (Directory.EnumerateFiles(dataFolder, "node-*.db").Any())
            throw new ClaimFailedException($"The story needs empty nodes, but {dataFolder} has data of an earlier run. Choose another folder or delete its files.");
        transcript.Title(options.Storage == StorageKind.Sqlite
            ? $"Three nodes in one process, on loopback TCP, each with its own SQLite file in {dataFolder}"
            : "Three nodes in one process, on loopback TCP, each with its data in memory");
        transcript.Chapter("The records that .NET knows of the world");
        var world = await transcript.TimeAsync(() => Task.Run(World.Read));
        transcript.Claim(world.Regions.Count > 0 && world.Zones.Count > 0,
            $"{world.Regions.Count} regions, {world.Cultures.Count} cultures and {world.Zones.Count} time zones are read from the runtime");
        foreach (string caveat in world.Caveats)
            transcript.Say(caveat);

        await using var cluster = new Cluster(options, dataFolder);
        var scenario = new Scenario(options, cluster, world, transcript);
        await scenario.StartAsync();
        await scenario.SaveAsync();
        await scenario.QueryAsync();
        await scenario.CutOffAsync();
        await scenario.HealAsync();
        await scenario.CrashAsync();
        await scenario.CompareAsync();
        transcript.End();
    }

    async Task StartAsync()
    {
        _transcript.Chapter("Three nodes find each other");
        await _transcript.TimeAsync(_cluster.StartAsync);
        _transcript.Claim(Cluster.NodeIds.All(id => _cluster.Node(id).Members.Count >= id),
            $"nodes 1, 2 and 3 run at {string.Join(", ", Cluster.NodeIds.Select(id => _cluster.Node(id).Address))}");
        await _transcript.ClaimSoonAsync(() => _cluster.IsConnectedAsync(1, 2, 3), "each node replicates to the two others");
    }

    async Task SaveAsync()
    {
        _transcript.Chapter("Node 1 saves all records");
        long before = _cluster.Link(2).BytesReceived;
        await using var db = _cluster.NewContext(1);
        db.Regions.AddRange(_world.Regions);
        db.Cultures.AddRange(_world.Cultures);
        db.Zones.AddRange(_world.Zones);
        var saved = await _transcript.TimeAsync(() => db.SaveChangesAsync(Consistency.Quorum));
        _transcript.Claim(saved.Count == _world.Count && saved.Acknowledged.Count >= 2,
            $"{saved.Count} records in one transaction: Quorum, stored by nodes {saved.Acknowledged}");

        await _transcript.TimeAsync(async () =>
        {
            foreach (int id in Cluster.NodeIds.Skip(1))
            {
                // With the token of the save, another node waits until it has the saved records.
                await using var other = _cluster.NewContext(id);
                await other.WaitForAsync(saved.Token);
            }
        });
        _bytesOfEverything = _cluster.Link(2).BytesReceived - before;
        _transcript.Claim(await _cluster.AreEqualAsync(), $"all three nodes have the records; node 2 received {Kilobytes(_bytesOfEverything)} in total");
    }

    async Task QueryAsync()
    {
        _transcript.Chapter("Every node has the same data and answers queries from it");

        await using var db2 = _cluster.NewContext(2);
        var japan = await _transcript.TimeAsync(() => FindAsync(db2, "JP"));
        _transcript.Claim(japan is { Currency: "JPY", Languages.Count: > 0 },
            $"node 2, by key: {japan.Name} pays with the {japan.CurrencyName} and speaks {string.Join(", ", japan.Languages.Order())}");

        await using var fresh = _cluster.NewContext(2);
        int named = 0;
        await _transcript.TimeAsync(async () =>
        {
            foreach (var region in _world.Regions)
                named += (await FindAsync(fresh, region.Id)).Name == region.Name ? 1 : 0;
        });
        _transcript.Claim(named == _world.Regions.Count, $"node 2, by key: each of the {named} regions has its name");

        var euroRegions = db2.Regions.Where(region => region.Currency == "EUR" && region.IsMetric).OrderBy(region => region.Name);
        var found = await _transcript.TimeAsync(() => euroRegions.ToListAsync());
        var expected = _world.Regions.Where(region => region.Currency == "EUR" && region.IsMetric).OrderBy(region => region.Name, StringComparer.Ordinal);
        _transcript.Claim(found.Select(region => region.Id).SequenceEqual(expected.Select(region => region.Id)),
            $"node 2, by an index: {found.Count} regions pay with the euro, from {found[0].Name} to {found[^1].Name}");
        _transcript.Say($"Explain():\n{euroRegions.Explain()}");

        await using var db3 = _cluster.NewContext(3);
        int german = await _transcript.TimeAsync(() => db3.Cultures.CountAsync(culture => culture.Language == "de"));
        _transcript.Claim(german == _world.Cultures.Count(culture => culture.Language == "de"), $"node 3, by an index: {german} cultures speak German");

        var dawn = TimeSpan.FromHours(12);
        var early = await _transcript.TimeAsync(() => db3.Zones.Where(zone => zone.Offset >= dawn).OrderByDescending(zone => zone.Offset).Take(3).ToListAsync());
        _transcript.Claim(early.Select(zone => zone.Offset).SequenceEqual(
                _world.Zones.Select(zone => zone.Offset).Where(offset => offset >= dawn).OrderDescending().Take(3)),
            $"node 3, by a range of an index: the day begins in {(early.Count == 0 ? "no zone known here" : string.Join(", ", early.Select(zone => zone.Id)))}");
    }

    async Task CutOffAsync()
    {
        _transcript.Chapter("Node 3 is cut off, and both sides keep working");
        await _cluster.Link(3).SeverAsync();
        await _transcript.ClaimSoonAsync(async () => await _cluster.IsConnectedAsync(3) && await _cluster.IsConnectedAsync(1, 2),
            "node 3's connections are severed: it is alone, and nodes 1 and 2 have noticed");

        await using var db1 = _cluster.NewContext(1);
        (await FindAsync(db1, "JP")).Capital = "Tokyo";
        (await FindAsync(db1, "KE")).Visits += 3;
        db1.Regions.Remove(await FindAsync(db1, "UM"));
        var saved = await _transcript.TimeAsync(() => db1.SaveChangesAsync(Consistency.Quorum));
        _transcript.Claim(saved.Count == 3 && saved.Acknowledged == NodeSet.Of(1, 2),
            $"node 1 sets Japan's capital, counts 3 visits to Kenya and deletes the U.S. Outlying Islands: Quorum, stored by nodes {saved.Acknowledged}");

        await using var db3 = _cluster.NewContext(3);
        (await FindAsync(db3, "JP")).DialingCode = "+81";
        (await FindAsync(db3, "KE")).Visits += 4;
        (await FindAsync(db3, "NZ")).Capital = "Wellington";
        var refusal = await _transcript.TimeAsync(() => RefusalOfAsync(db3));
        _transcript.Claim(refusal is not null && await IsUntouchedAsync(3),
            "node 3 sets Japan's dialing code, counts 4 visits to Kenya and sets New Zealand's capital: Quorum is refused, nothing is written");
        _transcript.Say($"{nameof(NotEnoughNodesException)}:\n{refusal!.Message}");

        var alone = await _transcript.TimeAsync(() => db3.SaveChangesAsync(Consistency.None));
        _transcript.Claim(alone.Count == 3 && alone.Acknowledged == NodeSet.Of(3), "node 3 saves the same changes with Consistency.None: accepted, stored by node 3 alone");

        _transcript.Claim(await ViewOfAsync(1) is { Capital: "Tokyo", DialingCode: null, Visits: 3, HasIslands: false, NewZealand: null }
            && await ViewOfAsync(3) is { Capital: null, DialingCode: "+81", Visits: 4, HasIslands: true, NewZealand: "Wellington" },
            "node 1 reads only its own edits, and node 3 only its own");
    }

    async Task HealAsync()
    {
        _transcript.Chapter("The cable is back");
        _cluster.Link(3).Restore();
        await _transcript.ClaimSoonAsync(_cluster.AreEqualAsync, "all three nodes have equal data again, and no edit is lost:");
        var views = new List<View>();
        foreach (int id in Cluster.NodeIds)
            views.Add(await ViewOfAsync(id));
        _transcript.Claim(views.All(view => view is { Capital: "Tokyo", DialingCode: "+81" }), "Japan has both edits: Tokyo from node 1, +81 from node 3");
        _transcript.Claim(views.All(view => view.Visits == 3 + 4), "Kenya has 7 visits: 3 from node 1 and 4 from node 3");
        _transcript.Claim(views.All(view => !view.HasIslands), "the U.S. Outlying Islands are deleted");
        _transcript.Claim(views.All(view => view.NewZealand == "Wellington"), "New Zealand has the capital that node 3 set");
        await _transcript.ClaimSoonAsync(() => _cluster.IsConnectedAsync(1, 2, 3), "each node replicates to the two others again");
    }

    async Task CrashAsync()
    {
        _transcript.Chapter("Node 2 crashes and comes back");
        await _cluster.Node(2).StopAbruptlyAsync();
        await _transcript.ClaimSoonAsync(() => _cluster.IsConnectedAsync(1, 3), "node 2 stopped without warning, and the others have noticed");

        await using var db1 = _cluster.NewContext(1);
        var changed = await db1.Regions.OrderBy(region => region.Name).Take(ChangesDuringCrash).ToListAsync();
        foreach (var region in changed)
            region.Visits++;
        var saved = await _transcript.TimeAsync(() => db1.SaveChangesAsync(Consistency.Quorum));
        _transcript.Claim(saved.Count == changed.Count && saved.Acknowledged == NodeSet.Of(1, 3),
            $"meanwhile node 1 counts one visit to each of {changed.Count} regions: Quorum, stored by nodes {saved.Acknowledged}");

        await _transcript.TimeAsync(async () =>
        {
            await _cluster.RestartAsync(2);
            await using var db2 = _cluster.NewContext(2);
            await db2.WaitForAsync(saved.Token);
        });
        long bytes = _cluster.Link(2).BytesReceived;
        _transcript.Claim(await _cluster.AreEqualAsync(), "node 2 restarted and has everything that it missed");
        string received = $"it received {Kilobytes(bytes)} including gossip; all records take {Kilobytes(_bytesOfEverything)}";
        string share = $"{changed.Count} of {_world.Count} records had changed";
        if (_options.Storage == StorageKind.Memory)
            _transcript.Claim(bytes > _bytesOfEverything / 2, $"node 2 lost its memory and fetched everything, although only {share}: {received}");
        else if (_world.Count > 10 * changed.Count)
            _transcript.Claim(bytes < _bytesOfEverything / 4, $"node 2 had the other records in its file: {share}, and {received}");
        else
            _transcript.Say($"This machine has too few records to show how much traffic the file saves: {share}, and {received}");
        await _transcript.ClaimSoonAsync(() => _cluster.IsConnectedAsync(1, 2, 3), "each node replicates to the two others again");
    }

    async Task CompareAsync()
    {
        _transcript.Chapter("In the end");
        var statistics = new List<(int Node, IReadOnlyList<KeyspaceStatistics> Keyspaces)>();
        foreach (int id in Cluster.NodeIds)
            statistics.Add((id, await _cluster.StatisticsOfAsync(id)));
        var filled = statistics.Select(node => (node.Node, (IReadOnlyList<KeyspaceStatistics>)[.. node.Keyspaces.Where(keyspace => keyspace.Count > 0)]));
        foreach (string line in StatisticsTable.Format([.. filled]))
            _transcript.Say(line);
        var counts = statistics[0].Keyspaces.ToDictionary(keyspace => keyspace.Name, keyspace => keyspace.Count);
        await using var db = _cluster.NewContext(1);
        _transcript.Claim(statistics.All(node => node.Keyspaces.SequenceEqual(statistics[0].Keyspaces)), "all nodes have the same counts and fingerprints");
        _transcript.Claim(counts[db.Regions.Name] == _world.Regions.Count - 1 && counts[db.Cultures.Name] == _world.Cultures.Count
            && counts[db.Zones.Name] == _world.Zones.Count, "all saved records are there, except the deleted one");
    }

    /// <summary>A node's view of the records that both sides edit during the cut.</summary>
    sealed record View(string? Capital, string? DialingCode, long Visits, bool HasIslands, string? NewZealand);

    async Task<View> ViewOfAsync(int nodeId)
    {
        await using var db = _cluster.NewContext(nodeId);
        var japan = await FindAsync(db, "JP");
        return new View(japan.Capital, japan.DialingCode, (await FindAsync(db, "KE")).Visits,
            await db.Regions.FindAsync("UM") is not null, (await FindAsync(db, "NZ")).Capital);
    }

    async Task<bool> IsUntouchedAsync(int nodeId) =>
        await ViewOfAsync(nodeId) is { Capital: null, DialingCode: null, Visits: 0, HasIslands: true, NewZealand: null };

    static async Task<Region> FindAsync(WorldContext db, string id) =>
        await db.Regions.FindAsync(id) ?? throw new ClaimFailedException($"Node {db.Node.Id} has no region {id}.");

    static async Task<NotEnoughNodesException?> RefusalOfAsync(WorldContext db)
    {
        try
        {
            await db.SaveChangesAsync(Consistency.Quorum);
            return null;
        }
        catch (NotEnoughNodesException refusal)
        {
            return refusal;
        }
    }

    static string Kilobytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KB");
}
