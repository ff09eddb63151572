namespace Datacake.Storage.Tests;

public sealed class MemoryStorageChoiceTests
{
    [Fact]
    public async Task UseMemory_opens_a_new_store_each_time()
    {
        var choice = new Choice();
        Assert.Same(choice, choice.UseMemory());
        await using IStorage first = choice.Open!();
        await using IStorage second = choice.Open!();
        Assert.IsType<MemoryStorage>(first);
        Assert.NotSame(first, second);
    }

    sealed class Choice : IStorageChoice
    {
        public Func<IStorage>? Open { get; private set; }

        public void UseStorage(Func<IStorage> open) => Open = open;

        public void AddKind(StorageKind kind) => throw new NotSupportedException();
    }
}
