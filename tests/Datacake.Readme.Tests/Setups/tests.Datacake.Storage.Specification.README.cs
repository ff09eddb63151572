using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Example;

// types of sample 1

static class Inheriting
{
    public static async Task RunAsync()
    {
        await using var tests = new FolderStorageTests();
        await tests.InitializeAsync();
        await tests.A_store_may_be_closed_and_opened_again_without_a_commit();
        await tests.A_second_opener_is_refused_until_the_first_has_closed();
        Samples.Reach(1);
    }
}

static class Starting
{
    public static async Task RunAsync()
    {
        Assert.Equal(1, await MainAsync("-class", "FolderStorageTests"));
        Assert.Equal(2, await MainAsync("--server", "dotnettestcli"));
        Samples.Reach(2);
    }

    static async Task<int> MainAsync(params string[] args)
    {
        // sample 2
    }

    // The runners of xunit end the process that they are called in, which is this one.
    static class ConsoleRunner
    {
        public static Task<int> Run(string[] args) => Task.FromResult(args[0] == "-class" ? 1 : 0);
    }

    static class TestPlatformTestFramework
    {
        public static Task<int> RunAsync(string[] args, Action extensions) => Task.FromResult(args[0] == "--server" ? 2 : 0);
    }

    static class SelfRegisteredExtensions
    {
        public static void AddSelfRegisteredExtensions() { }
    }
}

static class Extensions
{
    // sample 3
}

static class Using
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseFolder("shop"));
        await (await node.OpenStoreAsync()).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray());
        Assert.True(File.Exists("shop/format"));
        Samples.Reach(3);
        Samples.Reach(4);
    }
}
