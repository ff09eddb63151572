namespace Datacake.Shop.Tests;

/// <summary>The processes of the shop end together.</summary>
public class ProcessTests
{
    [Fact]
    public async Task Shop_that_is_asked_to_stop_ends_its_nodes_and_their_files()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("SIGTERM does not exist on Windows.");
        await using var shop = new RunningShop();
        await shop.InitializeAsync();
        Assert.True(File.Exists(Path.Combine(shop.Folder, "node3.db")));

        await shop.TerminateAsync();

        Assert.Equal(0, await shop.WaitForEndAsync());
        Assert.False(Directory.Exists(shop.Folder));
    }

    [Fact]
    public async Task Nodes_end_when_the_process_that_has_started_them_is_killed()
    {
        await using var shop = new RunningShop();
        await shop.InitializeAsync();

        shop.Kill();

        await shop.WaitForEndAsync();
    }
}
