# A check-list for a reader of cardlab in front of Windows: writes what the system says and what you see to a text file, which you can send
# back. It sends nothing anywhere. Windows PowerShell 5.1 or newer; no administrator needed.
#   powershell -ExecutionPolicy Bypass -File checklist.ps1 [-Report FILE] [-Locks]
# -Locks also presents wrong PINs (to the card's last try and beyond): only for a card that is there to be locked.
param(
    [string]$Report = "cardlab-checklist-$(Get-Date -Format yyyyMMdd-HHmmss).txt",
    [switch]$Locks
)
$ErrorActionPreference = 'Continue'

function Write-Report([string]$Text) {
    Write-Host $Text
    Add-Content -Path $Report -Value $Text -Encoding UTF8
}

function Step([string]$Name, [scriptblock]$Body) {
    Write-Report "`r`n== $Name"
    try {
        Write-Report ((& $Body | Out-String).TrimEnd())
    } catch {
        Write-Report "FAILED: $_"
    }
}

# What a person does and sees.
function Ask([string]$Name, [string]$Do, [string]$See) {
    Write-Report "`r`n== $Name"
    Write-Host $Do -ForegroundColor Cyan
    $answer = Read-Host "$See  [y/n/s for skipped, then a remark if you like]"
    Write-Report "do:  $Do`r`nsee: $See`r`nanswer: $answer"
}

Add-Type -TypeDefinition @'
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

public static class Card {
    [StructLayout(LayoutKind.Sequential)]
    struct Request { public uint Protocol; public uint Length; }

    [DllImport("winscard.dll")]
    static extern int SCardEstablishContext(uint scope, IntPtr a, IntPtr b, out IntPtr context);
    [DllImport("winscard.dll")]
    static extern int SCardReleaseContext(IntPtr context);
    [DllImport("winscard.dll", CharSet = CharSet.Unicode)]
    static extern int SCardListReadersW(IntPtr context, string groups, char[] readers, ref uint length);
    [DllImport("winscard.dll", CharSet = CharSet.Unicode)]
    static extern int SCardConnectW(IntPtr context, string reader, uint share, uint protocols, out IntPtr card, out uint protocol);
    [DllImport("winscard.dll", CharSet = CharSet.Unicode)]
    static extern int SCardStatusW(IntPtr card, char[] names, ref uint length, out uint state, out uint protocol, byte[] atr, ref uint atrLength);
    [DllImport("winscard.dll")]
    static extern int SCardTransmit(IntPtr card, ref Request send, byte[] command, uint length, IntPtr receive, byte[] answer, ref uint answerLength);
    [DllImport("winscard.dll")]
    static extern int SCardControl(IntPtr card, uint code, byte[] input, uint length, byte[] output, uint size, out uint returned);
    [DllImport("winscard.dll")]
    static extern int SCardDisconnect(IntPtr card, uint disposition);

    static void Check(string what, int code) {
        if (code != 0) throw new Exception(what + " gave " + code.ToString("X8"));
    }

    static string Hex(byte[] bytes, uint length) {
        return BitConverter.ToString(bytes, 0, (int)length).Replace("-", "");
    }

    static byte[] Bytes(string hex) {
        var bytes = new byte[hex.Length / 2];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = Convert.ToByte(hex.Substring(2 * i, 2), 16);
        return bytes;
    }

    public static string[] Readers() {
        IntPtr context;
        Check("SCardEstablishContext", SCardEstablishContext(2, IntPtr.Zero, IntPtr.Zero, out context));
        try {
            uint length = 0;
            Check("SCardListReaders", SCardListReadersW(context, null, null, ref length));
            var names = new char[length];
            Check("SCardListReaders", SCardListReadersW(context, null, names, ref length));
            return new string(names).Split(new[] { '\0' }, StringSplitOptions.RemoveEmptyEntries);
        } finally { SCardReleaseContext(context); }
    }

    // Protocol, ATR, the features of the reader, and the answers to the commands.
    public static string Talk(string reader, params string[] commands) {
        IntPtr context, card;
        uint protocol;
        var said = new StringBuilder();
        Check("SCardEstablishContext", SCardEstablishContext(2, IntPtr.Zero, IntPtr.Zero, out context));
        try {
            Check("SCardConnect", SCardConnectW(context, reader, 2, 3, out card, out protocol));
            try {
                uint length = 512, state, atrLength = 36;
                var atr = new byte[36];
                Check("SCardStatus", SCardStatusW(card, new char[512], ref length, out state, out protocol, atr, ref atrLength));
                said.AppendLine("protocol T=" + (protocol - 1) + ", ATR " + Hex(atr, atrLength));
                var features = new byte[256];
                uint count;
                int code = SCardControl(card, 0x00313520, null, 0, features, 256, out count);
                said.AppendLine("features: " + (code == 0 ? Hex(features, count) : code.ToString("X8")));
                foreach (var text in commands) {
                    var command = Bytes(text);
                    var answer = new byte[65538];
                    uint got = 65538;
                    var request = new Request { Protocol = protocol, Length = 8 };
                    var clock = System.Diagnostics.Stopwatch.StartNew();
                    code = SCardTransmit(card, ref request, command, (uint)command.Length, IntPtr.Zero, answer, ref got);
                    string shown = text.Length > 40 ? text.Substring(0, 40) + ".. (" + command.Length + " bytes)" : text;
                    said.AppendLine(shown + " -> " + (code == 0 ? Hex(answer, got) : code.ToString("X8")) + "  (" + clock.Elapsed.TotalMilliseconds.ToString("F1") + " ms)");
                }
            } finally { SCardDisconnect(card, 1); }
        } finally { SCardReleaseContext(context); }
        return said.ToString();
    }
}
'@

$piv = '00A4040005A000000308'
$gids = '00A4040009A00000039742544659'
$long = '00DB3FFF000BB8' + ('5A' * 3000)

Step 'This computer' { Get-CimInstance Win32_OperatingSystem | Format-List Caption, Version, BuildNumber, OSArchitecture }
Step 'The smart card service' { Get-Service SCardSvr, ScDeviceEnum, CertPropSvc | Format-Table Name, Status, StartType }
Step 'Readers and cards among the devices' {
    Get-PnpDevice -Class SmartCardReader, SmartCard, SmartCardFilter -PresentOnly -ErrorAction SilentlyContinue | Format-Table Status, Class, FriendlyName, InstanceId -AutoSize
}
Step 'Drivers of the readers' {
    Get-CimInstance Win32_PnPSignedDriver -Filter "DeviceClass = 'SMARTCARDREADER'" | Format-List DeviceName, DriverProviderName, DriverVersion, InfName
}
$readers = @()
Step 'Readers as programs see them' { $script:readers = [Card]::Readers(); $script:readers }
foreach ($reader in $readers) {
    Step "Speaking to $reader" { [Card]::Talk($reader, $piv, '00200080', $long, $gids, '00200080') }
}
Step 'certutil -scinfo -silent' { certutil -scinfo -silent }
if ($Locks) {
    foreach ($reader in $readers) {
        Step "Wrong PINs at $reader" {
            $wrong = '00200080083939393939' + '39FFFF'
            [Card]::Talk($reader, $piv, $wrong, $wrong, $wrong, $wrong, '00200080')
            [Card]::Talk($reader, $gids, '0020008006393939393939', '0020008006393939393939', '0020008006393939393939', '00200080')
        }
    }
}
Ask 'Removal' 'On the machine with the readers: cardlab card remove' 'Does Windows notice (sound, device manager, certutil -scinfo says that there is no card)?'
Ask 'Insertion' 'On the machine with the readers: cardlab card insert' 'Is the card there again?'
Step 'After insertion' { foreach ($reader in $readers) { [Card]::Talk($reader, $piv) } }
Ask 'Lock and unlock' 'Windows as administrator: AllowIntegratedUnblock=1 as docs/windows.md says. On the other machine: cardlab card state pin-blocked. Then Ctrl+Alt+Del, Change a password, Unblock smart card; response by cardlab response' 'Is a challenge shown, is the response taken, does the new PIN work?'
Ask 'Keypad' 'With a card that has pin-pad=on: certutil -scinfo, and on the other machine: cardlab card type 123456' 'Does Windows say that the PIN is to be typed at the reader, and is it taken?'
Ask 'A slow card' 'On the other machine: cardlab card pace verify:5000; then certutil -scinfo with the right PIN' 'Does it work, only later?'
Ask 'Both start again' 'End cardlab up and start it again (with USB/IP: attach again)' 'Is the reader back, without a restart of Windows?'
Ask 'Anything else' 'Whatever you saw' 'A blue screen, an error, a surprise?'
Write-Host "`r`nWritten to $((Resolve-Path $Report).Path)"
