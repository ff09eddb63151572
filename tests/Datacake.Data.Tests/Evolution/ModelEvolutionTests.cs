using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Evolution;

public sealed class ModelEvolutionTests : IAsyncLifetime
{
    readonly LocalCluster _cluster = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_store_opens_with_the_next_model_and_with_the_one_before_again()
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
    public async Task Nodes_with_two_models_at_once_keep_what_only_the_other_one_knows()
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
            // The whole sensor is asserted by a node that does not know that it is one.
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

    /// <summary>Whether a query finds so many, and as soon as the index is built, by that.</summary>
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

    After.DeviceContext After(int nodeId) => new(_cluster[nodeId]) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
