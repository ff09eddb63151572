using System.Globalization;
using Datacake.Shop;

// The program starts itself once for each node.
if (args is ["node", var id, var url, var folder, .. var addresses])
    await ShopNode.RunAsync(int.Parse(id, CultureInfo.InvariantCulture), url, folder, addresses);
else
    await ShopProxy.RunAsync(args);
