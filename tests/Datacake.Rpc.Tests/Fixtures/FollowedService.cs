namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A service that answers a call with nothing and knows when the server has finished the call, which is after the caller has its reply.</summary>
sealed class FollowedService : RpcService
{
    RpcRequest _last;

    public override string Name => "followed";

    /// <summary>Makes a call and waits until it is no longer in flight on either side.</summary>
    public async Task CallAsync(RpcChannel channel)
    {
        (await channel.CallAsync(Name, "call", default).Soon()).Dispose();
        await IsOverAsync();
    }

    /// <summary>Waits until the last answered call is no longer in flight.</summary>
    public Task IsOverAsync() => Expect.Until(() => Record.Exception(() => _last.Payload.Length) is ObjectDisposedException);

    protected internal override void Register(RpcHandlers handlers) => handlers.HandleBytes("call", (request, _) =>
    {
        _last = request;
        return default;
    });
}
