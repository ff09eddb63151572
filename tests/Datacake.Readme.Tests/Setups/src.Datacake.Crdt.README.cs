using System.Diagnostics;
using System.Text;
using Datacake.Crdt;

static class Merging
{
    public static Task RunAsync()
    {
        // sample 1
        Assert.Equal(Document.Merge(there, here), merged);
        Assert.Equal("Name = Carrot cake\nPrice = 11.00\n", Samples.TakeOutput());
        Samples.Reach(1);
        return Task.CompletedTask;
    }
}

static class SettingKeys
{
    public static Task RunAsync()
    {
        // sample 2
        Assert.True(here.Contains("tart"));
        Assert.False(here.Contains("bread"));
        Assert.Equal(0, here.Tombstones.Count);
        Samples.Reach(2);
        return Task.CompletedTask;
    }
}
