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
