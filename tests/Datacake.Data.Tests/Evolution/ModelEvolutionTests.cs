using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Evolution;

public sealed class ModelEvolutionTests : IAsyncLifetime
{
    readonly LocalCluster _cluster = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Store_opens_with_the_next_model_and_again_with_the_previous_one()
    {
        await _cluster.StartAsync(1);
        await using (var db = Before(1))
        {
            db.Devices.AddRange(Enumerable.Range(1, 50).Select(number => new Before.Device
            {
                Id = $"d{number}",
                Name = $"Device {number}",
                Level = number % 5,
                Obsolete = "kept",
                Labels = [$"label{number % 3}"],
                Starts = number,
                Site = number % 2 == 0 ? new Before.Site { Town = "Bonn" } : null,
            }));
            await db.SaveChangesAsync(Token);
        }

        await RestartAsync();
        await using (var db = After(1))
        {
            var device = (await db.Devices.FindAsync(["d8"], Token))!;
            Assert.Equal(
                ("Device 8", 3L, "1.0", 8L, "Bonn"), (device.Title, device.Level, device.Firmware, device.Boots, device.Location?.City));
            Assert.Equal(["label2"], device.Tags);
            Assert.False(db.ChangeTracker.HasChanges());

            await Finds(db.Devices.Where(d => d.Level == 3), 10, "index Level");
            await Finds(db.Devices.Where(d => d.Title == "Device 8"), 1, "index Title");
            await Finds(db.Devices.Where(d => d.Firmware == "1.0"), 50, "index Firmware");
            await Finds(db.Devices.Where(d => d.Tags.Contains("label2")), 17, "index Tags");
            await Finds(db.Devices.Where(d => d.Location != null && d.Location.City == "Bonn"), 25, "index Location.City");

            device.Title = "Renamed";
            Assert.True(db.Entry(device).Property(d => d.Title).IsModified);
            Assert.Equal("Device 8", db.Entry(device).Property(d => d.Title).OriginalValue);
            Assert.False(db.Entry(device).Property(d => d.Level).IsModified);
            device.Tags.Add("more");
            device.Boots++;
            device.Location!.City = "Ulm";
            device.Firmware = "2.0";
            db.Devices.Add(new After.Sensor { Id = "s1", Title = "Sensor", Reading = 21.5 });
            await db.SaveChangesAsync(Token);
        }

        await RestartAsync();
        await using (var db = Before(1))
        {
            var device = (await db.Devices.FindAsync(["d8"], Token))!;
            Assert.Equal(("Renamed", "kept", 9, "Ulm"), (device.Name, device.Obsolete, device.Starts, device.Site?.Town));
            Assert.Equal(["label2", "more"], device.Labels.Order(StringComparer.Ordinal));
            Assert.Equal("Sensor", (await db.Devices.FindAsync(["s1"], Token))?.Name);
            Assert.Equal(51, await db.Devices.CountAsync(Token));
        }
    }

    [Fact]
    public async Task Nodes_with_different_models_keep_properties_that_only_the_other_model_has()
    {
        await _cluster.StartAsync(1);
        await _cluster.StartAsync(2);
        await using (var db = Before(1))
        {
            db.Devices.Add(new Before.Device { Id = "d", Name = "Device", Obsolete = "known to one", Labels = ["a"], Starts = 1 });
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await using (var db = After(2))
        {
            var device = (await db.Devices.FindAsync(["d"], Token))!;
            (device.Firmware, device.Title, device.Boots) = ("known to two", "Renamed", device.Boots + 10);
            device.Tags.Add("b");
            db.Devices.Add(new After.Sensor { Id = "s", Title = "Sensor", Reading = 1 });
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await using (var db = Before(1))
        {
            var device = (await db.Devices.FindAsync(["d"], Token))!;
            Assert.Equal(("Renamed", "known to one", 11), (device.Name, device.Obsolete, device.Starts));
            (device.Level, device.Starts) = (4, device.Starts + 100);
            // This node writes the whole entity without knowing that it is a sensor.
            db.Devices.Update(new Before.Device { Id = "s", Name = "Thermometer" });
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await using (var db = After(2))
        {
            var device = (await db.Devices.FindAsync(["d"], Token))!;
            Assert.Equal(("Renamed", "known to two", 4L, 111L), (device.Title, device.Firmware, device.Level, device.Boots));
            Assert.Equal(["a", "b"], device.Tags.Order(StringComparer.Ordinal));
            var sensor = Assert.IsType<After.Sensor>(await db.Devices.FindAsync(["s"], Token));
            Assert.Equal(("Thermometer", 1.0), (sensor.Title, sensor.Reading));
            db.ChangeTracker.Clear();
            db.Devices.Update(new After.Device { Id = "d", Title = "Asserted" });
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await using (var db = Before(1))
        {
            var device = (await db.Devices.FindAsync(["d"], Token))!;
            Assert.Equal(("Asserted", "known to one"), (device.Name, device.Obsolete));
        }
        await _cluster.WaitUntilEqualAsync("Devices");
    }

    [Fact]
    public async Task Indexes_of_derived_classes_are_built_over_entities_stored_with_an_older_model()
    {
        await _cluster.StartAsync(1);
        await _cluster.StartAsync(2);
        await using (var db = Later(2))
        {
            db.Devices.AddRange(
                new Later.Device { Id = "d", Level = 1 },
                new Later.Sensor { Id = "s", Level = 1, Reading = 20, Unit = "C" },
                new Later.Camera { Id = "c", Level = 2, Reading = 21, Pixels = 12 });
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await using (var db = After(1))
        {
            db.Devices.Add(new After.Sensor { Id = "t", Level = 1, Reading = 20 });
            // A node that does not know the Camera class keeps the entity a camera.
            var camera = (await db.Devices.FindAsync(["c"], Token))!;
            camera.Level = 1;
            await db.SaveChangesAsync(Consistency.All, Token);
            Assert.Equal(["s", "t"], await db.Devices.OfType<After.Sensor>().Select(sensor => sensor.Id).ToListAsync(Token));
        }
        await using (var db = Later(2))
            await FindsAll(db);

        await RestartAsync();
        await using (var db = Later(1))
            await FindsAll(db);

        static async Task FindsAll(Later.DeviceContext db)
        {
            await Finds(db.Devices.OfType<Later.Sensor>().Where(sensor => sensor.Reading == 20), ["s", "t"], "index Reading");
            await Finds(db.Devices.OfType<Later.Sensor>().Where(sensor => sensor.Level == 1 && sensor.Unit == "K"), ["c", "t"], "index Level_Unit");
            await Finds(db.Devices.OfType<Later.Camera>().Where(camera => camera.Pixels > 0), ["c"], "index Pixels");
        }
    }

    /// <summary>Asserts that a query returns the given entities both before and after its index is built.</summary>
    static async Task Finds<T>(Query<T> query, string[] ids, string plan)
        where T : Later.Device
    {
        Assert.Equal(ids, (await query.ToListAsync(Token)).Select(device => device.Id));
        Assert.Contains(plan, query.Explain(), StringComparison.Ordinal);
        var store = await query.Operator.Source!.Context.Node.OpenStoreAsync(Token);
        await store.WaitForIndexesAsync("Devices", Token);
        Assert.Equal(ids, (await query.ToListAsync(Token)).Select(device => device.Id));
    }

    /// <summary>Asserts that a query returns the given number of entities and, once the index is built, uses it.</summary>
    static async Task Finds(Query<After.Device> query, int count, string plan)
    {
        Assert.Equal(count, await query.CountAsync(Token));
        await Eventually.WaitUntilAsync(
            async () =>
            {
                Assert.Equal(count, (await query.ToListAsync(Token)).Count);
                return query.Explain().Contains(plan, StringComparison.Ordinal);
            },
            $"'{plan}' is in '{query.Explain()}'");
    }

    async Task RestartAsync()
    {
        await _cluster.StopAsync(1);
        await _cluster.StartAsync(1);
    }

    Before.DeviceContext Before(int nodeId) => new(_cluster[nodeId]) { DefaultConsistency = Consistency.None };

    Later.DeviceContext Later(int nodeId) => new(_cluster[nodeId]) { DefaultConsistency = Consistency.None };

    After.DeviceContext After(int nodeId) => new(_cluster[nodeId]) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
