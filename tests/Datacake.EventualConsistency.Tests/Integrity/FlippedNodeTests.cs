using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Integrity;

/// <summary>A node with a damaged file beside a sound node. It heals or is refused by name, and harms no other node. DATACAKE_FLIPS sets the number of repetitions.</summary>
public sealed class FlippedNodeTests : IDisposable
{
    const int Cakes = 300;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flipped-");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Node_with_a_damaged_file_heals_or_does_not_start_and_never_shows_or_spreads_damage(string provider)
    {
        string file = Path.Combine(_folder.FullName, "node2");
        await using var nodes = new ScenarioNodes();
        nodes[2].OpenDisk = () => provider == "SQLite" ? new SqliteStorage(file) : new LmdbStorage(file);
        await nodes.StartNodeAsync(1);
        for (int key = 0; key < Cakes; key++)
            await nodes[1].PutAsync(key, TextOf(key), Consistency.None);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes.WaitUntilEqualAsync(Cakes, 1, 2);
        await nodes[2].StopAsync();
        var sound = Directory.GetFiles(_folder.FullName).ToDictionary(path => path, File.ReadAllBytes);
        var random = new Random(11);
        int refused = 0, healed = 0, harmless = 0;
        for (int i = 0; i < FileDamage.Count(12); i++)
        {
            foreach (string path in Directory.GetFiles(_folder.FullName))
                File.Delete(path);
            foreach (var (path, bytes) in sound)
                await File.WriteAllBytesAsync(path, bytes, Canceled);
            var (changed, what) = FileDamage.Make(sound[file], random);
            await File.WriteAllBytesAsync(file, changed, Canceled);
            try
            {
                await nodes.StartNodeAsync(2);
            }
            catch (StorageException)
            {
                refused++;
                await nodes[2].StopAsync();
                continue;
            }
            await nodes.WaitUntilConnectedAsync(1, 2);
            bool isDamaged = false;
            await Eventually.WaitUntilAsync(
                async () =>
                {
                    int right = 0;
                    for (int key = 0; key < Cakes; key++)
                    {
                        try
                        {
                            string? text = await nodes[2].GetAsync(key);
                            Assert.True(text is null || text == TextOf(key), $"After {what}, node 2 shows '{text}' under {key}.");
                            right += text is null ? 0 : 1;
                        }
                        catch (StorageException)
                        {
                            isDamaged = true;
                        }
                    }
                    return right == Cakes && nodes[2].Store.DamagedRecords == 0;
                },
                $"node 2 shows all cakes after {what}");
            await nodes.WaitUntilEqualAsync(Cakes, 1, 2);
            healed += isDamaged ? 1 : 0;
            harmless += isDamaged ? 0 : 1;
            await nodes[2].StopAsync();
        }
        for (int key = 0; key < Cakes; key++)
            Assert.Equal(TextOf(key), await nodes[1].GetAsync(key));
        TestContext.Current.SendDiagnosticMessage("{0}: {1} healed, {2} refused, {3} without effect.", provider, healed, refused, harmless);
    }

    static string TextOf(int key) => new((char)('a' + (key % 26)), 20 + (key % 150));
}
