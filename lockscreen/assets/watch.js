// Loads the page anew when the card changes it: removed, inserted, locked by another program.
setInterval(async () => {
  try {
    const state = await (await fetch("/state")).text();
    if (state !== document.body.dataset.state) location.replace("/");
  } catch { /* the lock screen is being stopped */ }
}, 700);
