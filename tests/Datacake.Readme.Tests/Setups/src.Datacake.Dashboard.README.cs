using System.Net;
using Datacake.Dashboard;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

static class Serving
{
    public static async Task RunAsync()
    {
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        using var built = new BuiltHost();
        var running = Task.Run(() => Run("--urls", "http://127.0.0.1:0", "--ShopSecret", Samples.Secret));
        await built.StartedAsync(running);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = built.Address };
        // A user who has not signed in is sent to the page for that.
        using var response = await client.GetAsync("/datacake");
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.StartsWith("/Account/Login", response.Headers.Location!.PathAndQuery);
        built.Stop();
        await running;
        Samples.Reach(1);
    }

    static void Run(params string[] args)
    {
        // sample 1
    }
}
